package staff

import (
	"slices"

	"example.com/walkaround/domain"
)

// Role is what a person is in the store. An account has at least one.
type Role string

// The roles of a store, as DESIGN section 4 names them.
const (
	Advisor    Role = "advisor"
	Technician Role = "technician"
	Cashier    Role = "cashier"
	FollowUp   Role = "follow_up"
	Supervisor Role = "supervisor"
	Admin      Role = "admin"
	Gate       Role = "gate"
)

// Roles lists every role, in the order in which they are shown.
func Roles() []Role {
	return []Role{Advisor, Technician, Cashier, FollowUp, Supervisor, Admin, Gate}
}

// Known says whether r is a role.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// rank orders the roles: nobody grants above his own. Supervisors and admins alone grant at all.
func (r Role) rank() int {
	switch r {
	case Admin:
		return 3
	case Supervisor:
		return 2
	default:
		return 1
	}
}

func highest(roles []Role) int {
	top := 0
	for _, r := range roles {
		top = max(top, r.rank())
	}
	return top
}

// MayGrant says whether a holder of grantor may give, or touch an account that has, the roles of target: an admin all
// roles, a supervisor all but admin, everybody else none.
func MayGrant(grantor, target []Role) bool {
	return Allows(grantor, AreaManageStaff) && highest(target) <= highest(grantor)
}

// Actor is who asks for a change of an account.
type Actor struct {
	StoreID   string
	Roles     []Role
	ChainWide bool
}

// MayManage refuses (CodeRoleNotGrantable) a change of an account, or its making, that by may not do: call it for the
// account as it is and as it shall be. Roles above his own, and chain-wide accounts unless he is a chain-wide admin, are
// out of his reach.
func MayManage(by Actor, a *Account) error {
	if !MayGrant(by.Roles, a.Roles) {
		return domain.Refuse(CodeRoleNotGrantable, "nobody grants, or changes an account with, a role above his own")
	}
	if a.ChainWide && (!by.ChainWide || !slices.Contains(by.Roles, Admin)) {
		return domain.Refuse(CodeRoleNotGrantable, "a chain-wide account is managed by a chain-wide admin alone")
	}
	return nil
}
