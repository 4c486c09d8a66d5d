package shopify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Document is one thing that a file holds: an order, or something else and what it is.
type Document struct {
	Number int // from 1, in the order of the file
	Order  json.RawMessage
	Other  string // what it is instead of an order: "a refund calculation, not an order"
}

// others are the things that Shopify gives beside orders, by the member that they are wrapped in.
var others = []struct{ member, what string }{
	{"refund", "a refund calculation, not an order"},
	{"refunds", "a list of refunds, not an order"},
	{"draft_order", "a draft order, not an order"},
	{"draft_orders", "a list of draft orders, not of orders"},
	{"checkout", "a checkout, not an order"},
	{"fulfillment", "a fulfillment, not an order"},
	{"transaction", "a transaction, not an order"},
	{"errors", "an error message of Shopify, not an order"},
}

// Read finds the orders of a file: one or many, each bare or wrapped in "order", all of them in "orders", in an
// array, or one value after the other. What was found before an error is returned with it.
func Read(data []byte) ([]Document, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	d := json.NewDecoder(bytes.NewReader(data))
	var found []Document
	for {
		var value json.RawMessage
		err := d.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return found, fmt.Errorf("it is not JSON from line %d on: %w", line(data, d, err), err)
		}
		found = appendDocuments(found, value, true)
	}
	if len(found) == 0 {
		return nil, errors.New("there is no order in it")
	}
	return found, nil
}

// line is where reading stopped.
func line(data []byte, d *json.Decoder, err error) int {
	at := d.InputOffset()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.Is(err, io.ErrUnexpectedEOF):
		at = int64(len(bytes.TrimSpace(data)))
	}
	return 1 + bytes.Count(data[:max(0, min(at, int64(len(data))))], []byte("\n"))
}

// appendDocuments takes a value apart, one level of arrays deep.
func appendDocuments(found []Document, value json.RawMessage, arrays bool) []Document {
	add := func(order json.RawMessage, other string) []Document {
		return append(found, Document{Number: len(found) + 1, Order: order, Other: other})
	}
	var list []json.RawMessage
	if value[0] == '[' {
		if !arrays || json.Unmarshal(value, &list) != nil {
			return add(nil, "an array, not an order")
		}
		for _, v := range list {
			found = appendDocuments(found, v, false)
		}
		return found
	}
	var members map[string]json.RawMessage
	if value[0] != '{' || json.Unmarshal(value, &members) != nil {
		return add(nil, "neither an order nor a list of orders")
	}
	if orders, ok := members["orders"]; ok && arrays && orders[0] == '[' {
		return appendDocuments(found, orders, true)
	}
	if order, ok := members["order"]; ok && order[0] == '{' {
		return add(order, "")
	}
	for _, o := range others {
		if _, ok := members[o.member]; ok && members["line_items"] == nil {
			return add(nil, o.what)
		}
	}
	if members["line_items"] == nil && members["total_price"] == nil {
		return add(nil, "not an order: it has neither line_items nor total_price")
	}
	return add(value, "")
}
