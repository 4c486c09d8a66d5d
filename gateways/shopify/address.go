package shopify

import (
	"strings"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// needPostal are the countries in which a parcel hardly arrives without a postal code. Elsewhere there is none, or
// people leave it out.
const needPostal = " AT AU BE BR CA CH CN CZ DE DK EE ES FI FR GB GR HU IN IT JP KR LT LU LV MX NL NO NZ PL PT RO " +
	"RU SE SG SI SK TR TW UA US ZA "

// address takes over where the parcels go. What is missing of it is a hold: a person has to ask the customer.
func (d *draft) address() {
	a := d.wire.ShippingAddress
	if a == nil {
		d.hold(order.HoldAddressIncomplete, "the order has no shipping address")
		return
	}
	to := &d.placement.ShipTo
	var missing, wrong []string
	fit := func(field, s string, limit int) string {
		if long(s, limit) {
			wrong = append(wrong, field+" is longer than "+itoa(limit)+" characters and was cut")
		}
		return shorten(s, limit)
	}
	to.Name = fit("the name", addressee(a, d.placement.Customer.Name), nameMax)
	to.Line1 = fit("address1", clean(a.Address1), lineMax)
	to.Line2 = fit("address2", clean(a.Address2), lineMax)
	to.City = fit("city", clean(a.City), cityMax)
	to.PostalCode = fit("zip", clean(a.Zip), postalMax)
	to.Country = country(a)
	to.Region = region(a, to.Country)
	if long(to.Region, regionMax) {
		wrong = append(wrong, "the province has no province_code and was left out")
		to.Region = ""
	}
	for _, part := range []struct{ value, name string }{
		{to.Name, "name"}, {to.Line1, "street (address1)"}, {to.City, "city"}, {to.Country, "country"},
	} {
		if part.value == "" {
			missing = append(missing, part.name)
		}
	}
	if to.PostalCode == "" && strings.Contains(needPostal, " "+to.Country+" ") {
		missing = append(missing, "postal code (zip)")
	}
	if to.Country != "" && !shipping.KnownCountry(to.Country) {
		wrong = append(wrong, "country_code "+to.Country+" is not one of ISO 3166-1")
	}
	if len(missing) > 0 {
		wrong = append([]string{"the shipping address has no " + join(missing, "and no")}, wrong...)
	}
	if len(wrong) > 0 {
		d.hold(order.HoldAddressIncomplete, strings.Join(wrong, "; "))
	}
}

// addressee names who gets the parcel. There is no field for a company, and a parcel to one may not arrive
// without its name.
func addressee(a *wireAddress, customer string) string {
	name := firstOf(a.Name, a.FirstName+" "+a.LastName)
	company := clean(a.Company)
	switch {
	case name == "" && company == "":
		return customer
	case name == "":
		return company
	case company == "" || company == name:
		return name
	}
	return name + ", " + company
}

func country(a *wireAddress) string {
	if code := strings.ToUpper(clean(a.CountryCode)); len(code) == 2 && strings.Trim(code, letters) == "" {
		return code
	}
	name := clean(a.Country)
	if code := strings.ToUpper(name); shipping.KnownCountry(code) {
		return code
	}
	return countryByName[fold(name)]
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// region is the part after the dash of ISO 3166-2, which is what Shopify's codes are, some with the country before.
func region(a *wireAddress, country string) string {
	code := strings.TrimPrefix(clean(a.ProvinceCode), country+"-")
	if code == "" {
		return clean(a.Province)
	}
	return code
}

// join lists words: "a", "a and b", "a, b and c".
func join(words []string, last string) string {
	n := len(words) - 1
	if n < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
