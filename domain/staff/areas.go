package staff

import "slices"

// Area is a part of the work that a role opens: the router asks for one before every handler.
type Area string

// The areas of DESIGN section 4, "Who may".
const (
	AreaAccount        Area = "account"        // one's own account: who am I, my password, sign out
	AreaAnnounce       Area = "announce"       // say that a car has come
	AreaReadVisits     Area = "read_visits"    // visits, vehicles, photos, catalogue and checklists, without prices
	AreaCapture        Area = "capture"        // arrival to walk-around, and their signature
	AreaEstimate       Area = "estimate"       // estimate, approval, settlement
	AreaPrices         Area = "prices"         // see prices
	AreaJobs           Area = "jobs"           // jobs of the work order, maintenance sheet
	AreaPayments       Area = "payments"       // payments, till
	AreaCustomers      Area = "customers"      // customer files, contacts, follow-ups: any customer's
	AreaOwnCustomers   Area = "own_customers"  // the same, for one's own visits
	AreaBusiness       Area = "business"       // reports, duties, campaigns, business
	AreaTemplates      Area = "templates"      // edit catalogue, checklists, phrases
	AreaManageStaff    Area = "manage_staff"   // accounts, up to one's own roles
	AreaManageStore    Area = "manage_store"   // stores and their settings
	AreaAdministration Area = "administration" // clients, webhooks, erasure, keys
	AreaSupervise      Area = "supervise"      // what a rule leaves to a supervisor: credit, explaining for the receiver
)

// Areas lists every area.
func Areas() []Area {
	return []Area{
		AreaAccount, AreaAnnounce, AreaReadVisits, AreaCapture, AreaEstimate, AreaPrices, AreaJobs, AreaPayments, AreaCustomers,
		AreaOwnCustomers, AreaBusiness, AreaTemplates, AreaManageStaff, AreaManageStore, AreaAdministration, AreaSupervise,
	}
}

// opens says which roles open an area.
func opens(a Area) []Role {
	switch a {
	case AreaAccount, AreaAnnounce:
		return Roles()
	case AreaReadVisits, AreaCapture:
		return []Role{Advisor, Technician, Cashier, FollowUp, Supervisor, Admin}
	case AreaEstimate:
		return []Role{Advisor, Supervisor}
	case AreaPrices:
		return []Role{Advisor, Supervisor, Admin}
	case AreaJobs:
		return []Role{Technician, Supervisor}
	case AreaPayments:
		return []Role{Cashier, Supervisor}
	case AreaCustomers:
		return []Role{FollowUp, Supervisor}
	case AreaOwnCustomers:
		return []Role{Advisor, FollowUp, Supervisor}
	case AreaBusiness, AreaTemplates, AreaManageStaff, AreaManageStore:
		return []Role{Supervisor, Admin}
	case AreaAdministration:
		return []Role{Admin}
	case AreaSupervise:
		return []Role{Supervisor}
	default:
		return nil
	}
}

// Allows says whether one of roles opens the area. An unknown area is open to nobody.
func Allows(roles []Role, a Area) bool {
	may := opens(a)
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(may, r) })
}

// AllowsReceiver is Allows for one visit: who received a car (any role that captures) also estimates, settles and sees
// the prices of that visit. The router passes received as true where only the handler can know, and the handler asks
// again with the visit in hand.
func AllowsReceiver(roles []Role, a Area, received bool) bool {
	if Allows(roles, a) {
		return true
	}
	return received && (a == AreaEstimate || a == AreaPrices) && Allows(roles, AreaCapture)
}
