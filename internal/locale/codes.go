package locale

import "strings"

// Who acts, as in Detail.Actor. The words have their text in "ui.actor".
const (
	cotejo    = "cotejo"
	source    = "source"
	person    = "person"
	analyst   = "analyst"
	nobody    = "nobody"
	support   = "support"
	developer = "developer"
)

// acting says who acts for a set of codes, separated by space.
type acting struct{ actor, codes string }

// vendorCodes are the 115 values of status_details in the vendor's machine
// description (docs/vendor.md#status-details), in its groups. It publishes prose
// for about a quarter of them; who acts is its word where there is one and our
// reading elsewhere.
var vendorCodes = []acting{
	// CURP or identity at the source
	{person, "curp_has_inconsistencies user_gov_id_has_inconsistencies gov_id_has_inconsistencies"},
	// CURP unknown to the source
	{analyst, `
		curp_not_found curp_not_found_in_renapo user_curp_not_found_in_renapo
		curp_not_in_platform user_curp_not_in_platform gov_id_not_in_data_source
		user_gov_id_not_in_data_source invalid_gov_id invalid_identifier
		not_available_in_platform`},
	// Social Security Number
	{person, `
		nss_not_found_in_imss invalid_nss user_ssn_missing missing_social_security_number
		social_security_number_mismatch`},
	// nothing to extract
	{nobody, "zero_quoted_weeks no_employment_records"},
	{analyst, "employment_info_in_imss"},
	// the population registry is down
	{source, "renapo_unavailable api_renapo_unavailable"},
	// the source is degraded
	{source, `
		service_degradation platform_unavailable platform_error service_unavailable
		system_platform_error server_error server_not_found api_server_error api_bad_gateway
		api_server_timeout api_service_unavailable api_service_unavailable_02
		api_service_unavailable_08`},
	// throttled or blocked
	{source, `
		too_many_requests api_rate_limit_exceeded api_forbidden access_forbidden auth_forbidden
		login_refused login_not_available auth_max_attempts_exceeded`},
	{support, `
		captcha_required captcha_detected captcha_bypass_error invalid_captcha proxy_error
		proxy_max_retries_exceeded max_retries_exceeded network_max_retries_exceeded`},
	// out of time
	{source, "request_timeout rpci_timeout lambda_timeout browser_navigation_timeout"},
	// faults inside the vendor
	{support, `
		lambda_error task_create_fail db_constraint_violation aws_s3_upload_fail
		parser_invalid_pdf render_invalid_html invalid_schema_response
		browser_connection_timeout network_connectivity_issues network_ssl_error
		access_token_not_generated auth_invalid_token auth_token_expired unknown`},
	// on its way
	{source, `
		pending_for_data pending_data_extraction validation_pending password_validation_pending
		email_otp_validation_pending`},
	// what the person signs in with (work platforms)
	{person, `
		invalid_credentials invalid_password password_missing phone_or_code_missing invalid_otp
		expired_otp could_not_send_otp two_factor_auth_required mfa_deactivation_required
		device_authorization_required invalid_phone invalid_email email_not_validated needs_auth
		requires_auth validation_time_expired resend_limit`},
	{support, "invalid_otp_session invalid_otp_auth_key unknown_login_type invalid_in_auth_session_id"},
	{analyst, "already_connected"},
	// state of the person's account (work platforms)
	{person, `
		banned not_registered account_blocked account_setup_incomplete
		identity_verification_failed incomplete_profile didi_rejected`},
	{support, `
		profile_unavailable profile_not_found account_not_found device_risk
		unable_to_get_uber_metrics unable_to_get_rappi_metrics`},
	{source, "didi_rate_limited cell_rate_limited"},
	// others
	{developer, "bad_request invalid_cpf"},
	{nobody, "failed_refresh"},
}

// ownCodes stand where status_details would, for an attempt that ended without
// an event of the vendor. Package lookup names the ones it sets.
var ownCodes = []acting{
	{developer, "vendor_unauthorized vendor_forbidden vendor_rejected connection_paused"},
	{analyst, "recent_login_successful vendor_not_found no_final_event never_sent consent_expired"},
	{cotejo, "vendor_rate_limited vendor_timeout"},
	{source, "vendor_unavailable"},
}

// buroCodes are how a verification of Buró de Ingresos ended (docs/vendor-buro.md#buro-outcome), and what it refuses by a
// code of its own. Package buro and package jobs set them.
var buroCodes = []acting{
	{nobody, "no_data"},
	{source, "verification_error"},
	{analyst, "verification_error_can_retry daily_verification_limit_exceeded"},
	{support, "consent_required"},
	{developer, "consent_incomplete"},
}

// vendorWarnings are the values of the account's warning field
// (docs/vendor.md#warnings).
var vendorWarnings = []acting{
	{nobody, `
		banned profile_unavailable no_employment_records zero_quoted_weeks rpci_backup_process
		web_scraping_backup_process didi_auth_app didi_auth_web invalid_captcha
		incomplete_profile_data`},
	{analyst, "not_registered curp_not_in_platform rider_account fleet_account id_mismatch"},
	{person, `
		needs_auth missing_social_security_number social_security_number_mismatch
		curp_has_inconsistencies onboarding`},
}

// actorAt overrides who acts where a code cannot mean on one platform what it
// says: an NSS is a matter of IMSS alone.
var actorAt = map[string]string{
	"nss_not_found_in_imss/issste": analyst,
}

var (
	// Codes lists the vendor's status_details.
	Codes = codes(vendorCodes)
	// OwnCodes lists our codes for requests the vendor refused or left open.
	OwnCodes = codes(ownCodes)
	// BuroCodes lists those of the second vendor.
	BuroCodes = codes(buroCodes)
	// Warnings lists the vendor's warning values.
	Warnings = codes(vendorWarnings)

	actors        = actorsOf(vendorCodes, ownCodes, buroCodes)
	warningActors = actorsOf(vendorWarnings)
)

func codes(table []acting) []string {
	var list []string
	for _, row := range table {
		list = append(list, strings.Fields(row.codes)...)
	}
	return list
}

func actorsOf(tables ...[]acting) map[string]string {
	actors := map[string]string{}
	for _, table := range tables {
		for _, row := range table {
			for _, code := range strings.Fields(row.codes) {
				actors[code] = row.actor
			}
		}
	}
	return actors
}
