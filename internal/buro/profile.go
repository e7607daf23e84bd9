package buro

import (
	"context"
	"net/http"
	"time"

	"cotejo/internal/profile"
)

// Extra is what this vendor's profile says beyond who a person is.
type Extra struct {
	Address          Address
	EmploymentStatus string // employed, self_employed, unemployed, unknown, retired, …: an open set
	// EstimatedMonthlyIncome is MXN as text, exactly as received; "" when not given. It adds up invoices of the last 30
	// days and has nothing to do with IMSS salaries (docs/vendor-buro.md#buro-profile).
	EstimatedMonthlyIncome string
	UpdatedAt              time.Time // when the vendor last renewed the data; zero when not given
}

// Address is where a person lives. Absent parts are "".
type Address struct {
	Street, Neighborhood, Municipality, State, ZIP string
}

type addressJSON struct {
	Street       text `json:"street"`
	Neighborhood text `json:"neighborhood"`
	Municipality text `json:"municipality"`
	State        text `json:"state"`
	ZIP          text `json:"zip_code"`
}

type profileJSON struct {
	Identifier text   `json:"identifier"`
	UpdatedAt  moment `json:"updated_at"`
	Person     struct {
		FirstName text        `json:"first_name"`
		LastName  text        `json:"last_name"`
		CURP      text        `json:"curp"`
		NSS       text        `json:"nss"`
		RFC       text        `json:"rfc"`
		Phone     text        `json:"phone"`
		Email     text        `json:"email"`
		Address   addressJSON `json:"address"` // here in answers of 2025, beside personal_info since
	} `json:"personal_info"`
	Address addressJSON `json:"address"`
	Status  text        `json:"employment_status"`
	Income  amount      `json:"estimated_monthly_income"`
}

// Profile fetches who the sources say a person is: GET /profile/{identifier}. profile_not_found is an answer: an empty
// profile. Numbers such as NSS and RFC are not judged here: several in the vendor's own samples fail their check digits.
// profile.AccountID stays "": data belongs to the person, the newest verification replaces it, and the identifier is
// nothing to be kept as an account's name. Raw holds the answer, also when it was refused or could not be read.
func (c *Client) Profile(ctx context.Context, identifier string) (profile.Profile, Extra, Raw, error) {
	const op = "profile"
	var j profileJSON
	found, a, err := c.one(ctx, op, "/profile/", identifier, "personal_info", &j, "profile_not_found")
	if err != nil || !found {
		return profile.Profile{}, Extra{}, a.raw, err
	}
	if err := a.about(op, identifier, j.Identifier); err != nil {
		return profile.Profile{}, Extra{}, a.raw, err
	}
	p := profile.Profile{
		FirstName: string(j.Person.FirstName), LastName: string(j.Person.LastName),
		Email: string(j.Person.Email), Phone: string(j.Person.Phone),
	}
	for _, id := range []profile.ID{
		{Type: "national", Name: "curp", Value: string(j.Person.CURP)},
		{Type: "social_security_number", Name: "nss", Value: string(j.Person.NSS)},
		{Type: "tax", Name: "rfc", Value: string(j.Person.RFC)},
	} {
		if id.Value != "" {
			p.IDs = append(p.IDs, id)
		}
	}
	at := j.Address
	if at == (addressJSON{}) {
		at = j.Person.Address
	}
	x := Extra{
		Address: Address{
			Street: string(at.Street), Neighborhood: string(at.Neighborhood), Municipality: string(at.Municipality),
			State: string(at.State), ZIP: string(at.ZIP),
		},
		EmploymentStatus: string(j.Status), EstimatedMonthlyIncome: string(j.Income), UpdatedAt: j.UpdatedAt.Time,
	}
	return p, x, a.raw, nil
}

// one gets the data of one kind about one person and decodes it; false when the vendor says by one of codes that there
// is none. The answer has to have the member of that name, if one is known.
func (c *Client) one(ctx context.Context, op, path, identifier, member string, into any, codes ...string) (bool, answer, error) {
	segment, err := person(op, identifier)
	if err != nil {
		return false, answer{}, err
	}
	a, err := c.call(ctx, op, http.MethodGet, path+segment, nil, nil)
	if none(err, codes...) {
		return false, a, nil
	}
	if err == nil {
		err = a.read(op, into)
	}
	if err == nil && member != "" && !a.has(member) {
		err = unreadable(op, a, nil)
	}
	return err == nil, a, err
}

// BusinessProfile is who a company is.
type BusinessProfile struct {
	RFC, LegalName, CommercialName string // "" when not given
	UpdatedAt                      time.Time
}

type businessJSON struct {
	RFC            text `json:"rfc"`
	LegalName      text `json:"legal_name"`
	CommercialName text `json:"commercial_name"`
}

// BusinessProfile fetches who a company is: GET /business-profile/{rfc}; business_profile_not_found gives an empty one.
// That it has a legal name, a commercial name and an RFC is documented, how they are spelled is not, so an answer in
// which none of them was understood is unreadable rather than empty (docs/vendor-buro.md#buro-other).
func (c *Client) BusinessProfile(ctx context.Context, rfc string) (BusinessProfile, Raw, error) {
	const op = "business profile"
	var j struct {
		businessJSON
		Identifier text         `json:"identifier"`
		UpdatedAt  moment       `json:"updated_at"`
		Inner      businessJSON `json:"business_profile"`
		Info       businessJSON `json:"business_info"` // after the personal_info of a profile
	}
	found, a, err := c.one(ctx, op, "/business-profile/", rfc, "", &j, "business_profile_not_found")
	if err != nil || !found {
		return BusinessProfile{}, a.raw, err
	}
	b := BusinessProfile{
		RFC:            first(j.RFC, j.Inner.RFC, j.Info.RFC),
		LegalName:      first(j.LegalName, j.Inner.LegalName, j.Info.LegalName),
		CommercialName: first(j.CommercialName, j.Inner.CommercialName, j.Info.CommercialName),
		UpdatedAt:      j.UpdatedAt.Time,
	}
	for _, who := range []text{j.Identifier, text(b.RFC)} {
		if err := a.about(op, rfc, who); err != nil {
			return BusinessProfile{}, a.raw, err
		}
	}
	if b.LegalName == "" && b.CommercialName == "" && b.RFC == "" {
		return BusinessProfile{}, a.raw, unreadable(op, a, badRow)
	}
	return b, a.raw, nil
}
