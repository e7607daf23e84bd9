#!/bin/sh
# Writes vectors.txt and rewrites.txt: what the package has to reproduce, computed by programs that share nothing with it
# (OpenSSL; Node and Python for the JSON). Run it here, and again only to add a vector: sh vectors.sh
set -eu
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
secret=$(printf %s "$key" | xxd -r -p | base64 | tr '+/' '-_' | tr -d '=')
rawsecret='a raw secret, 33 characters long!'
other=ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100
hex() { printf %s "$1" | xxd -p | tr -d '\n'; }
mac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary; } # of stdin
url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
jwt() { # header claims hexkey
	signed=$(printf %s "$1" | url).$(printf %s "$2" | url)
	printf '%s.%s' "$signed" "$(printf %s "$signed" | mac "$3" | url)"
}
{
	echo "# Written by vectors.sh; 2026-01-02 03:04:05 UTC is 1767323045."
	echo "key $key"
	echo "other $other"
	echo "secret $secret"
	echo "rawsecret $(hex "$rawsecret")"
	echo "signature.base64 $(mac $key <body.json | base64 -w0)"
	echo "signature.base64url $(mac $key <body.json | url)"
	echo "signature.hex $(mac $key <body.json | xxd -p | tr -d '\n')"
	echo "signature.raw $(mac "$(hex "$rawsecret")" <body.json | base64 -w0)"
	echo "signature.undecoded $(mac "$(hex "$secret")" <body.json | base64 -w0)"
	echo "signature.other $(mac $other <body.json | base64 -w0)"
	echo "signature.empty $(printf '' | mac $key | base64 -w0)"
	echo "signature.newline $( (cat body.json; echo) | mac $key | base64 -w0)"
	echo "signature.node $(node -e 'process.stdout.write(JSON.stringify(JSON.parse(require("fs").readFileSync("body.json"))))' | mac $key | base64 -w0)"
	echo "signature.python $(python3 -c 'import json;print(json.dumps(json.load(open("body.json",encoding="utf-8"))),end="")' | mac $key | base64 -w0)"
	echo "standard.signature $( (printf 'msg_1.1767323045.'; cat body.json) | mac $key | base64 -w0)"
	echo "standard.other $( (printf 'msg_1.1767323045.'; cat body.json) | mac $other | base64 -w0)"
	h='{"alg":"HS256","typ":"JWT"}'
	k=$(hex "$rawsecret")
	echo "jwt.good $(jwt "$h" '{"exp":1767326645,"iat":1767323045}' "$k")"
	echo "jwt.loose $(jwt "$h" '{"exp":1767326645,"iat":"yesterday","sub":7,"aud":{}}' "$k")"
	echo "jwt.expired $(jwt "$h" '{"exp":1767322985}' "$k")"
	echo "jwt.no_expiry $(jwt "$h" '{"iat":1767323045}' "$k")"
	echo "jwt.null_expiry $(jwt "$h" '{"exp":null}' "$k")"
	echo "jwt.text_expiry $(jwt "$h" '{"exp":"1767326645"}' "$k")"
	echo "jwt.word_expiry $(jwt "$h" '{"exp":"tomorrow"}' "$k")"
	echo "jwt.milliseconds $(jwt "$h" '{"exp":1767326645000}' "$k")"
	echo "jwt.not_yet $(jwt "$h" '{"exp":1767326645,"nbf":1767323165}' "$k")"
	echo "jwt.ahead $(jwt "$h" '{"exp":1767326645,"iat":1767323345}' "$k")"
	echo "jwt.other $(jwt "$h" '{"exp":1767326645}' $other)"
	echo "jwt.emptykey $(jwt "$h" '{"exp":1767326645}' 00)" # HMAC pads an empty key with zeros
	echo "jwt.critical $(jwt '{"alg":"HS256","crit":["x"],"x":1}' '{"exp":1767326645}' "$k")"
	echo "jwt.no_algorithm $(jwt '{"typ":"JWT"}' '{"exp":1767326645}' "$k")"
	echo "jwt.decoded $(jwt "$h" '{"exp":1767326645}' "$key")"
	for alg in none None HS384 HS512 RS256 ES256 EdDSA hs256 x; do # each signed with HMAC all the same
		echo "jwt.alg.$alg $(jwt "{\"alg\":\"$alg\"}" '{"exp":1767326645}' "$k")"
	done
	echo "jwt.unsigned $(printf %s '{"alg":"none"}' | url).$(printf %s '{"exp":1767326645}' | url)."
} >vectors.txt
{
	echo "# Written by vectors.sh: what Node and Python make of body.json, as base64."
	node -e '
		const v = JSON.parse(require("fs").readFileSync("body.json"))
		for (const n of [0, 2, 4]) console.log("node" + n, Buffer.from(JSON.stringify(v, null, n)).toString("base64"))'
	python3 -c '
import base64, json
v = json.load(open("body.json", encoding="utf-8"))
for name, how in {"python": {}, "python_utf8": {"ensure_ascii": False}, "sorted_python": {"sort_keys": True},
		"ascii": {"separators": (",", ":")}, "python2": {"indent": 2}, "python4": {"indent": 4}}.items():
	print(name, base64.b64encode(json.dumps(v, **how).encode()).decode())'
} >rewrites.txt
