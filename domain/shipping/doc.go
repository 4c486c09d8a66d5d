// Package shipping holds the terms in which Waybill talks about parcels and carriers.
//
// It owns addresses, the requests and answers of a carrier, and the rules by which scans move a parcel:
// never backwards, whatever comes late, twice or out of order. It does not own how a carrier speaks
// (gateways/…), what a parcel contains or costs (domain/order) or where it is stored (store).
package shipping
