package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lib/pq"
)

// listMaxMS is how long a page of orders may take, 99 times of 100.
const listMaxMS = 50

// seeds are how many orders filters get their values from.
const seeds = 60

// List is how long pages of orders took under some filters.
type List struct {
	Filter string `json:"filter"`
	Latency
	Empty   int `json:"empty"`   // pages on which nothing was
	Refused int `json:"refused"` // pages that the database did not find in time
}

// ListReport is what came of measuring lists.
type ListReport struct {
	Orders int    `json:"orders"` // in the database
	Lists  []List `json:"lists"`
	Holds  bool   `json:"holds"` // under every filter by itself the 99th percentile is within the goal
}

// seed is an order, by whose values others are looked for.
type seed struct {
	ID, ExternalID, Channel, Status, Customer, Email, Name, SKU string
	At                                                          time.Time
	cursor                                                      string // into the list, at this order
}

// filters are all that GET /v1/orders knows, each with what it is for a seed. Those of one name are tried in turn.
var filters = map[string][]func(seed) string{
	"status":         {func(s seed) string { return s.Status }, func(seed) string { return "received" }, func(seed) string { return "expired" }, func(seed) string { return "cancelled" }},
	"channel":        {func(s seed) string { return s.Channel }, func(seed) string { return "nowhere" }},
	"external_id":    {func(s seed) string { return s.ExternalID }},
	"customer":       {func(s seed) string { return s.Customer }},
	"sku":            {func(s seed) string { return s.SKU }, func(seed) string { return "NOTHING-1" }},
	"created_from":   {func(s seed) string { return s.At.Format(time.RFC3339) }},
	"created_before": {func(s seed) string { return s.At.Format(time.RFC3339) }},
	"waiting_for":    {func(seed) string { return "warehouse" }, func(seed) string { return "carrier" }, func(seed) string { return "operator" }},
	"attention":      {func(seed) string { return "true" }, func(seed) string { return "false" }},
	"q": {func(s seed) string { return s.ID[:14] }, func(s seed) string { return s.ExternalID }, func(s seed) string { return s.Customer },
		func(s seed) string { return s.Email }, func(s seed) string { return strings.ToLower(s.Name) }, func(s seed) string { return strings.Fields(s.Name)[0] },
		func(seed) string { return "a" }, func(seed) string { return "nobody of that name" }},
}

// Lists measures GET /v1/orders under every filter and under every two of them, each from the beginning of the list and
// from somewhere in it, so many times.
func Lists(ctx context.Context, stack Stack, times int, progress func(line string)) (*ListReport, error) {
	connector, err := pq.NewConnector(stack.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	l := &lister{stack: stack, client: &http.Client{Timeout: time.Minute}}
	report := &ListReport{Holds: true}
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&report.Orders); err != nil {
		return nil, err
	}
	if l.seeds, err = sow(ctx, db); err != nil {
		return nil, err
	}
	if err := l.point(ctx); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(filters))
	sets := [][]string{nil}
	for i, name := range names {
		sets = append(sets, []string{name})
		for _, other := range names[i+1:] {
			sets = append(sets, []string{name, other})
		}
	}
	slices.SortStableFunc(sets, func(a, b []string) int { return len(a) - len(b) })
	for _, set := range sets {
		list, err := l.measure(ctx, set, times)
		if err != nil {
			return nil, err
		}
		progress(fmt.Sprintf("lists: %s", list.Filter))
		report.Lists = append(report.Lists, list)
		report.Holds = report.Holds && (len(set) > 1 || list.P99 <= listMaxMS)
	}
	return report, nil
}

// sow takes orders of all times.
func sow(ctx context.Context, db *sql.DB) (found []seed, err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT o.id, o.external_id, o.channel, o.status, o.customer ->> 'id', o.customer ->> 'email', o.customer ->> 'name',
			(SELECT sku FROM order_lines l WHERE l.order_id = o.id ORDER BY position LIMIT 1), o.created_at
		FROM (SELECT min(created_at) AS first, max(created_at) AS last FROM orders) span
		CROSS JOIN generate_series(1, $1) n
		CROSS JOIN LATERAL (SELECT * FROM orders o WHERE o.created_at >= span.first + (span.last - span.first) * (n::float8 / ($1 + 1))
			ORDER BY o.created_at, o.id LIMIT 1) o`, seeds)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s seed
		if err := rows.Scan(&s.ID, &s.ExternalID, &s.Channel, &s.Status, &s.Customer, &s.Email, &s.Name, &s.SKU, &s.At); err != nil {
			return nil, err
		}
		s.At = s.At.UTC()
		found = append(found, s)
	}
	if len(found) == 0 {
		err = errors.New("there are no orders to list: see --preload")
	}
	return found, errors.Join(err, rows.Err())
}

// lister asks for lists.
type lister struct {
	stack  Stack
	client *http.Client
	seeds  []seed
}

// point gives each seed the cursor of its place in the list.
func (l *lister) point(ctx context.Context) error {
	for i, s := range l.seeds {
		page, _, err := l.get(ctx, url.Values{"created_before": {s.At.Add(time.Second).Format(time.RFC3339)}, "limit": {"1"}})
		if err != nil {
			return err
		}
		l.seeds[i].cursor = page.NextCursor
	}
	return nil
}

func (l *lister) measure(ctx context.Context, set []string, times int) (list List, err error) {
	list.Filter = strings.Join(set, " ")
	if len(set) == 0 {
		list.Filter = "none"
	}
	var took []time.Duration
	for i := range times {
		query := url.Values{}
		for n, name := range set {
			s := l.seeds[(i*7+n*(i%2)*13)%len(l.seeds)] // two filters are of one order, or of two
			of := filters[name]
			query.Set(name, of[(i/(1+n))%len(of)](s))
		}
		if cursor := l.seeds[i%len(l.seeds)].cursor; i%3 == 1 && cursor != "" {
			query.Set("cursor", cursor)
		}
		page, t, err := l.get(ctx, query)
		switch {
		case errors.Is(err, errTooLong):
			list.Refused++
		case err != nil:
			return list, err
		case len(page.Data) == 0:
			list.Empty++
		}
		took = append(took, t)
	}
	list.Latency = latency(took)
	return list, nil
}

// Write prints the report for people.
func (r *ListReport) Write(to io.Writer) error {
	fmt.Fprintf(to, "GET /v1/orders with %d orders in the database, in ms\n", r.Orders)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILTERS\tP50\tP99\tMAX\tPAGES\tEMPTY\tREFUSED\t")
	for _, l := range r.Lists {
		mark := ""
		if l.P99 > listMaxMS {
			mark = fmt.Sprintf("over %d ms", listMaxMS)
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%s\n", l.Filter, l.P50, l.P99, l.Max, l.Count, l.Empty, l.Refused, mark)
	}
	return w.Flush()
}

// listPage is what is looked at of a page.
type listPage struct {
	Data       []json.RawMessage `json:"data"`
	NextCursor string            `json:"next_cursor"`
}

// errTooLong is a page that the database did not find in time.
var errTooLong = errors.New("the list takes too long")

// get asks for a page, and says how long that took, until the last byte was there.
func (l *lister) get(ctx context.Context, query url.Values) (page listPage, took time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.stack.APIURL+"/v1/orders?"+query.Encode(), nil)
	if err != nil {
		return page, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+l.stack.APIKey)
	began := time.Now()
	answer, err := l.client.Do(request)
	if err != nil {
		return page, 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	took = time.Since(began)
	if err != nil {
		return page, took, err
	}
	if answer.StatusCode == http.StatusServiceUnavailable {
		return page, took, errTooLong
	}
	if answer.StatusCode != http.StatusOK {
		return page, took, fmt.Errorf("GET /v1/orders?%s: %s: %s", query.Encode(), answer.Status, body)
	}
	return page, took, json.Unmarshal(body, &page)
}
