package main

import (
	"encoding/json"
	"fmt"
)

// shot is one picture: which page, when it is ready, what to press, and what to point out.
type shot struct {
	name   string
	query  string // finds the run, or is the list that is shown
	page   string // of the run; empty for the list
	height int64
	ready  string   // JavaScript that becomes true when everything is there
	steps  []string // JavaScript, each to become true; it may press things
	marks  []string // texts on the page that get a number, in this order
}

// shots lists the pictures of docs/operators.md.
func shots() []shot {
	const listed = `document.querySelectorAll("tbody tr td a").length > 0`
	const detailed = `[...document.querySelectorAll("iframe")].some(f => f.contentDocument?.body?.innerText.includes("As of "))`
	return []shot{
		{name: "list-attention", query: `Attention IS NOT NULL AND ExecutionStatus = "Running"`, height: 620, ready: listed,
			marks: []string{"Attention IS NOT", "Save as New", "WaitingFor", "DueAt"}},
		{name: "run-attention", query: `Attention = "capture_refused"`, page: "user-metadata", height: 1330, ready: detailed,
			marks: []string{"Summary", "Details", "Current Details", "Request Cancellation", "More Actions", "Pending Activities"}},
		{name: "run-history", query: `OrderStatus = "accepted" AND WaitingFor = "warehouse"`, page: "history", height: 1180,
			ready: `!document.body.innerText.includes("Loading") && [...document.querySelectorAll("svg text")].some(t => t.textContent.includes("lapses"))`},
		{name: "pending-activity", query: `WaitingFor = "gateway" AND ExecutionStatus = "Running"`, page: "pending-activities", height: 680,
			ready: `document.body.innerText.includes("outcome_unknown")`, marks: []string{"Last Failure", "Pause", "Reset"}},
		{name: "send-update", query: `Attention = "capture_refused"`, page: "user-metadata", height: 860, ready: detailed,
			steps: []string{pressed("More Actions"), pressed("Send an Update"), opened}},
		{name: "run-return", query: `ReturnStatus = "received" AND Attention IS NOT NULL`, page: "user-metadata", height: 1180, ready: detailed},
		{name: "cancel-refused", query: `OrderStatus = "processing" AND FulfillmentStatus = "shipped" AND ExecutionStatus = "Running"`, page: "user-metadata", height: 1180,
			ready: detailed, steps: []string{pressed("Request Cancellation"), pressed("Confirm"),
				`(document.body.dispatchEvent(new KeyboardEvent("keypress", {key: "r", bubbles: true})), document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "r", bubbles: true})), [...document.querySelectorAll("iframe")].some(f => f.contentDocument?.body?.innerText.includes("Cancellation was requested")))`}},
	}
}

// opened opens the list of updates in the dialog, and is true once it can be seen. The page has the dialog twice, and
// shows one.
const opened = `(() => { const select = [...document.querySelectorAll("dialog[open] #update-select")].filter(e => e.getBoundingClientRect().width > 0).pop();
	const list = select?.closest("dialog").querySelector("ul[role=listbox]");
	if (list?.classList.contains("invisible")) select.closest("button, [role=button], div").click();
	return !!list && !list.classList.contains("invisible") && getComputedStyle(list).opacity === "1" })()`

// pressed presses the button with this text, and is true once there is one.
func pressed(text string) string {
	return fmt.Sprintf(`(() => { const b = [...document.querySelectorAll("button, [role=menuitem], [role=combobox]")].find(b => b.offsetParent && (b.innerText + (b.value ?? "") + (b.placeholder ?? "")).trim().startsWith(%q)); b?.click(); return !!b })()`, text)
}

// columns are what the list shows instead of run ids and times.
func columns() string {
	var shown []map[string]any
	for _, label := range []string{"Status", "Workflow ID", "Attention", "WaitingFor", "DueAt"} {
		shown = append(shown, map[string]any{"label": label, "pinned": label == "Status" || label == "Workflow ID"})
	}
	value, _ := json.Marshal(map[string]any{"default": shown})
	return fmt.Sprintf(`localStorage.setItem("namespace-workflow-table-columns", %q)`, value)
}

// still ends everything that moves, and takes away what floats over the page.
const still = `document.head.insertAdjacentHTML("beforeend", "<style>*{animation:none!important;transition:none!important;caret-color:transparent!important}</style>");
	[...document.querySelectorAll("main button, body > div button")].filter(b => { const at = b.getBoundingClientRect(); return at.width < 50 && at.right > innerWidth - 50 && at.bottom > innerHeight - 50 }).forEach(b => b.remove());
	[...document.querySelectorAll("body *")].filter(e => e.innerText?.trim() === "Workflow canceled.").forEach(e => e.remove());`

// marked numbers the texts on the page.
func marked(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	list, _ := json.Marshal(texts)
	return fmt.Sprintf(`(%s).forEach((text, i) => {
		const all = [...document.querySelectorAll("main *")].filter(e => e.offsetParent && e.innerText?.trim().startsWith(text) && e.innerText.length < text.length + 25);
		const e = all.pop();
		if (!e) return;
		const at = e.getBoundingClientRect();
		document.body.insertAdjacentHTML("beforeend", '<div style="position:fixed;z-index:9999;left:' + Math.max(2, at.left - 20) + 'px;top:' + (at.top - 16) +
			'px;width:24px;height:24px;border-radius:12px;background:#c2185b;color:#fff;font:bold 15px/24px sans-serif;text-align:center">' + (i + 1) + '</div>');
	})`, list)
}
