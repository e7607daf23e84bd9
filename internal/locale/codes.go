package locale

var actors = map[string]string{}
var warningActors = map[string]string{}
