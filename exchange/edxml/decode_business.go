package edxml

const pathBusiness = pathTrace + "/Bussiness"

// business reads the block that says what the message does to earlier documents.
func (d *decoder) business(e *Element) error {
	b := &Business{}
	d.m.Business = b
	var kind Number
	err := d.fields(e, pathBusiness, fields{
		"DocumentId": d.text(&b.DocumentID), "BussinessDocType": d.number(&kind),
		"BussinessDocReason": d.text(&b.Reason), "Paper": d.number(&b.Paper),
		"StaffInfo": d.staff(&b.Staff, pathBusiness+"/StaffInfo"),
		"BussinessDocumentInfo": one(func(c *Element) error {
			b.Update = &UpdateInfo{}
			return d.update(c, b.Update)
		}),
		"ReplacementInfoList": one(func(c *Element) error { return d.replacements(c, b) }),
	})
	b.Type = BusinessType(kind.Value)
	return err
}

func (d *decoder) update(e *Element, u *UpdateInfo) error {
	const path = pathBusiness + "/BussinessDocumentInfo"
	return d.fields(e, path, fields{
		"DocumentInfo": d.number(&u.DocumentInfo), "DocumentReceiver": d.number(&u.DocumentReceiver),
		"ReceiverList": one(func(c *Element) error {
			return d.fields(c, path+"/ReceiverList", fields{"Receiver": many(func(c *Element) error {
				var r ReceiverChange
				err := d.fields(c, indexed(path+"/ReceiverList", "Receiver", len(u.Receivers)+1), fields{
					"OrganId": d.text(&r.OrganID), "ReceiverType": d.number(&r.Type)})
				u.Receivers = append(u.Receivers, r)
				return err
			})})
		}),
	})
}

func (d *decoder) replacements(e *Element, b *Business) error {
	const path = pathBusiness + "/ReplacementInfoList"
	return d.fields(e, path, fields{"ReplacementInfo": many(func(c *Element) error {
		var r Replacement
		at := indexed(path, "ReplacementInfo", len(b.Replacements)+1)
		err := d.fields(c, at, fields{
			"DocumentId": d.text(&r.DocumentID),
			"OrganIdList": one(func(c *Element) error {
				return d.fields(c, at+"/OrganIdList", fields{"OrganId": d.texts(&r.OrganIDs)})
			}),
		})
		b.Replacements = append(b.Replacements, r)
		return err
	})})
}
