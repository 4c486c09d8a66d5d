package shopify

import "strings"

// countryByName finds a country's code by its English name, for addresses that have no code. Names are folded.
var countryByName = func() map[string]string {
	m := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(countryNames), "\n") {
		code, names, _ := strings.Cut(line, " ")
		for name := range strings.SplitSeq(names, "/") {
			m[fold(name)] = code
		}
	}
	return m
}()

var plainLetters = strings.NewReplacer("à", "a", "á", "a", "ã", "a", "å", "a", "ä", "a", "ç", "c", "é", "e", "è", "e",
	"í", "i", "ñ", "n", "ó", "o", "ô", "o", "ö", "o", "ú", "u", "ü", "u", "&", " and ", "saint ", "st ")

// fold makes names comparable: small letters without accents, marks or spaces, and without "the" in front.
func fold(name string) string {
	name = strings.TrimPrefix(plainLetters.Replace(strings.ToLower(name)), "the ")
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, name)
}

// countryNames are the names that Shopify uses, and others that are common, by code.
const countryNames = `
AD Andorra
AE United Arab Emirates/UAE
AF Afghanistan
AG Antigua & Barbuda
AI Anguilla
AL Albania
AM Armenia
AO Angola
AQ Antarctica
AR Argentina
AS American Samoa
AT Austria/Österreich
AU Australia
AW Aruba
AX Åland Islands
AZ Azerbaijan
BA Bosnia & Herzegovina
BB Barbados
BD Bangladesh
BE Belgium
BF Burkina Faso
BG Bulgaria
BH Bahrain
BI Burundi
BJ Benin
BL St. Barthélemy
BM Bermuda
BN Brunei/Brunei Darussalam
BO Bolivia
BQ Caribbean Netherlands/Bonaire, Sint Eustatius and Saba
BR Brazil/Brasil
BS Bahamas
BT Bhutan
BV Bouvet Island
BW Botswana
BY Belarus
BZ Belize
CA Canada
CC Cocos (Keeling) Islands
CD Congo - Kinshasa/Democratic Republic of the Congo/Congo, The Democratic Republic Of The
CF Central African Republic
CG Congo - Brazzaville/Congo/Republic of the Congo
CH Switzerland/Schweiz/Suisse
CI Côte d'Ivoire/Ivory Coast
CK Cook Islands
CL Chile
CM Cameroon/Republic of Cameroon
CN China/People's Republic of China
CO Colombia
CR Costa Rica
CU Cuba
CV Cape Verde/Cabo Verde
CW Curaçao
CX Christmas Island
CY Cyprus
CZ Czechia/Czech Republic
DE Germany/Deutschland
DJ Djibouti
DK Denmark
DM Dominica
DO Dominican Republic
DZ Algeria
EC Ecuador
EE Estonia
EG Egypt
EH Western Sahara
ER Eritrea
ES Spain/España
ET Ethiopia
FI Finland
FJ Fiji
FK Falkland Islands/Falkland Islands (Malvinas)
FM Micronesia
FO Faroe Islands
FR France
GA Gabon
GB United Kingdom/UK/Great Britain/England/Scotland/Wales/Northern Ireland
GD Grenada
GE Georgia
GF French Guiana
GG Guernsey
GH Ghana
GI Gibraltar
GL Greenland
GM Gambia
GN Guinea
GP Guadeloupe
GQ Equatorial Guinea
GR Greece
GS South Georgia & South Sandwich Islands
GT Guatemala
GU Guam
GW Guinea-Bissau
GY Guyana
HK Hong Kong/Hong Kong SAR/Hong Kong SAR China
HM Heard & McDonald Islands/Heard Island And Mcdonald Islands
HN Honduras
HR Croatia
HT Haiti
HU Hungary
ID Indonesia
IE Ireland
IL Israel
IM Isle of Man
IN India
IO British Indian Ocean Territory
IQ Iraq
IR Iran/Iran, Islamic Republic Of
IS Iceland
IT Italy/Italia
JE Jersey
JM Jamaica
JO Jordan
JP Japan
KE Kenya
KG Kyrgyzstan
KH Cambodia
KI Kiribati
KM Comoros
KN St. Kitts & Nevis
KP North Korea/Korea, Democratic People's Republic Of
KR South Korea/Korea/Republic of Korea
KW Kuwait
KY Cayman Islands
KZ Kazakhstan
LA Laos/Lao People's Democratic Republic
LB Lebanon
LC St. Lucia
LI Liechtenstein
LK Sri Lanka
LR Liberia
LS Lesotho
LT Lithuania
LU Luxembourg
LV Latvia
LY Libya/Libyan Arab Jamahiriya
MA Morocco
MC Monaco
MD Moldova/Moldova, Republic of
ME Montenegro
MF St. Martin
MG Madagascar
MH Marshall Islands
MK North Macedonia/Macedonia, Republic Of/Macedonia
ML Mali
MM Myanmar/Myanmar (Burma)/Burma
MN Mongolia
MO Macao/Macau/Macao SAR/Macao SAR China
MP Northern Mariana Islands
MQ Martinique
MR Mauritania
MS Montserrat
MT Malta
MU Mauritius
MV Maldives
MW Malawi
MX Mexico/México
MY Malaysia
MZ Mozambique
NA Namibia
NC New Caledonia
NE Niger
NF Norfolk Island
NG Nigeria
NI Nicaragua
NL Netherlands/Nederland/Holland
NO Norway/Norge
NP Nepal
NR Nauru
NU Niue
NZ New Zealand
OM Oman
PA Panama
PE Peru
PF French Polynesia
PG Papua New Guinea
PH Philippines
PK Pakistan
PL Poland/Polska
PM St. Pierre & Miquelon
PN Pitcairn Islands/Pitcairn
PR Puerto Rico
PS Palestinian Territories/Palestinian Territory, Occupied/Palestine
PT Portugal
PW Palau
PY Paraguay
QA Qatar
RE Réunion
RO Romania
RS Serbia
RU Russia/Russian Federation
RW Rwanda
SA Saudi Arabia
SB Solomon Islands
SC Seychelles
SD Sudan
SE Sweden/Sverige
SG Singapore
SH St. Helena
SI Slovenia
SJ Svalbard & Jan Mayen
SK Slovakia
SL Sierra Leone
SM San Marino
SN Senegal
SO Somalia
SR Suriname
SS South Sudan
ST São Tomé & Príncipe/Sao Tome And Principe
SV El Salvador
SX Sint Maarten
SY Syria
SZ Eswatini/Swaziland
TC Turks & Caicos Islands
TD Chad
TF French Southern Territories
TG Togo
TH Thailand
TJ Tajikistan
TK Tokelau
TL Timor-Leste/Timor Leste
TM Turkmenistan
TN Tunisia
TO Tonga
TR Türkiye/Turkey
TT Trinidad & Tobago
TV Tuvalu
TW Taiwan
TZ Tanzania/Tanzania, United Republic Of
UA Ukraine
UG Uganda
UM U.S. Outlying Islands/United States Minor Outlying Islands
US United States/United States of America/USA
UY Uruguay
UZ Uzbekistan
VA Vatican City/Holy See (Vatican City State)
VC St. Vincent & Grenadines/St. Vincent
VE Venezuela
VG British Virgin Islands/Virgin Islands, British
VI U.S. Virgin Islands/Virgin Islands, U.S.
VN Vietnam/Viet Nam
VU Vanuatu
WF Wallis & Futuna
WS Samoa
YE Yemen
YT Mayotte
ZA South Africa
ZM Zambia
ZW Zimbabwe`
