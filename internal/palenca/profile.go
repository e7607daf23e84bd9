package palenca

import (
	"context"

	"cotejo/internal/profile"
)

// Profile fetches who the source says the person is. A source without one gives an empty profile, by the rule of
// Employment. Numbers such as NSS and RFC are not judged here: several in the vendor's own samples fail their check
// digits (docs/vendor.md#nss).
func (c *Client) Profile(ctx context.Context, id string) (profile.Profile, Raw, error) {
	const op = "profile"
	a, err := c.pull(ctx, op, id)
	if err != nil {
		return profile.Profile{}, a.raw, err
	}
	if a.data == nil {
		return profile.Profile{AccountID: id}, a.raw, nil
	}
	var j profileJSON
	if err := a.read(op, &j); err != nil {
		return profile.Profile{}, a.raw, err
	}
	p := j.profile()
	if p.AccountID == "" {
		p.AccountID = id
	}
	return p, a.raw, nil
}

// profileJSON is "data" of GET /accounts/{id}/profile; all of it may be null. Older answers add an address, a picture and
// bank details, which nobody here asked for and which stay in the raw answer only.
type profileJSON struct {
	AccountID text `json:"account_id"`
	Person    struct {
		FirstName text `json:"first_name"`
		LastName  text `json:"last_name"`
		Email     text `json:"email"`
		Phone     text `json:"phone"` // older shape only
		Birthday  date `json:"birthday"`
	} `json:"profile"`
	IDs many[struct {
		Type  text `json:"type"`
		Name  text `json:"name"`
		Value text `json:"value"`
	}] `json:"ids_info"`
}

func (j profileJSON) profile() profile.Profile {
	p := profile.Profile{
		AccountID: string(j.AccountID), FirstName: string(j.Person.FirstName), LastName: string(j.Person.LastName),
		Email: string(j.Person.Email), Phone: string(j.Person.Phone), Birthday: j.Person.Birthday.Time,
	}
	for _, id := range j.IDs {
		if id.Value != "" { // the types are an open set, an identifier without a value is none
			p.IDs = append(p.IDs, profile.ID{Type: string(id.Type), Name: string(id.Name), Value: string(id.Value)})
		}
	}
	return p
}
