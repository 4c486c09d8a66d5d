package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/domain/fault"
)

// Position is where a page ended: the sort key of its last entry. A list sorts by a time and an id, by an id alone,
// or by two names; what a list does not use stays empty.
type Position struct {
	At     time.Time
	Key    string // an id, a sequence, a SKU
	SubKey string // a location
}

// Page is what a list was asked for.
type Page struct {
	Limit int       // 1 to 200
	After *Position // nil for the first page
}

// cursorVersion is raised when a list changes its order: a cursor into another order would skip or repeat.
const cursorVersion = 1

// cursor is what is inside the opaque text. It names its list, so that a cursor of another list is refused.
type cursor struct {
	Version int       `json:"v"`
	List    string    `json:"l"`
	At      time.Time `json:"t,omitzero"`
	Key     string    `json:"k"`
	SubKey  string    `json:"s,omitempty"`
}

// PageOf returns the page that the request asks for. A cursor that this list did not give is Invalid.
func PageOf(c *gin.Context) (Page, error) {
	x := exchangeOf(c)
	parameters := convert[struct {
		Limit  int     `json:"limit"`
		Cursor *string `json:"cursor"`
	}](x.query)
	page := Page{Limit: parameters.Limit}
	if parameters.Cursor == nil {
		return page, nil
	}
	after, ok := parseCursor(x.operation.ID, *parameters.Cursor)
	if !ok {
		var wrong fault.Fields
		wrong.Add("/cursor", "bad_cursor", "is not a next_cursor of this list: begin again without one")
		return page, wrong.Err()
	}
	page.After = &after
	return page, nil
}

// NextCursor returns the cursor for what follows position in the list that the request asks for, as next_cursor has it.
func NextCursor(c *gin.Context, position Position) *string {
	text := formatCursor(exchangeOf(c).operation.ID, position)
	return &text
}

func formatCursor(list string, p Position) string {
	return base64.RawURLEncoding.EncodeToString(mustMarshal(cursor{Version: cursorVersion, List: list, At: p.At.UTC(),
		Key: p.Key, SubKey: p.SubKey}))
}

// parseCursor reads a cursor of a list. Its text comes back from outside, so it is checked like any other text.
func parseCursor(list, text string) (Position, bool) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Position{}, false
	}
	var c cursor
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Position{}, false
	}
	for _, key := range []string{c.Key, c.SubKey} {
		if code, _ := badText(key); code != "" || len(key) > 256 {
			return Position{}, false
		}
	}
	// Only what formatCursor writes, for this list and in this version, is a cursor: one page has one name.
	p := Position{At: c.At, Key: c.Key, SubKey: c.SubKey}
	return p, formatCursor(list, p) == text
}
