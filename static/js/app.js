// The console works without any of this: each module adds one comfort to markup that already does its job.
import "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";

import "./ago.js";
import "./copy.js";
import "./elapsed.js";
import "./forms.js";
import "./keys.js";
import "./live.js";
import "./print.js";
import "./session.js";
import "./tail.js";
import "./theme.js";
