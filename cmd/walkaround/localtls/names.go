package localtls

import (
	"crypto/x509"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// localDomains are the endings that belong to no one on the internet.
var localDomains = []string{"localhost", "local", "lan", "home.arpa", "internal"}

// localRanges are the addresses that are reached only from nearby: loopback, private, link-local, and carrier-grade NAT,
// which private overlays use.
var localRanges = []string{
	"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
	"::1/128", "fc00::/7", "fe80::/10",
}

// dnsName is what may stand in a certificate.
var dnsName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// Names is what the server is called.
type Names struct {
	Machine   string       // the machine's host name
	Addresses []netip.Addr // its addresses; public ones are left out
	Required  string       // the host of the public URL, a name or an address, or ""

	refused string // set by allowedBy
}

// dns lists the names of the certificate.
func (n Names) dns() []string {
	out := []string{"localhost"}
	if machine := strings.ToLower(n.Machine); dnsName.MatchString(machine) {
		out = append(out, machine)
		if !strings.Contains(machine, ".") && machine != "localhost" {
			out = append(out, machine+".local")
		}
	}
	if required := strings.ToLower(n.Required); dnsName.MatchString(required) && net.ParseIP(required) == nil {
		out = append(out, required)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ips lists its addresses.
func (n Names) ips() []net.IP {
	out := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	for _, addr := range n.Addresses {
		if private(addr) {
			out = append(out, net.IP(addr.Unmap().WithZone("").AsSlice()))
		}
	}
	if ip := net.ParseIP(n.Required); ip != nil {
		out = append(out, ip)
	}
	slices.SortFunc(out, func(a, b net.IP) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(out, net.IP.Equal)
}

// hosts is both, as a browser asks for them.
func (n Names) hosts() []string {
	out := n.dns()
	for _, ip := range n.ips() {
		out = append(out, ip.String())
	}
	return out
}

// domains is what a new CA may vouch for.
func (n Names) domains() []string {
	out := slices.Concat(localDomains, n.dns())
	slices.Sort(out)
	return slices.Compact(out)
}

// ranges is the same of addresses.
func (n Names) ranges() []*net.IPNet {
	var out []*net.IPNet
	for _, cidr := range localRanges {
		out = append(out, ipNet(cidr))
	}
	if ip := net.ParseIP(n.Required); ip != nil && !within(out, ip) {
		bits := 8 * net.IPv6len
		if v4 := ip.To4(); v4 != nil {
			ip, bits = v4, 8*net.IPv4len
		}
		out = append(out, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
	}
	return out
}

// allowedBy leaves out what the CA may not vouch for; Required can't be left out, and is noted as refused.
func (n Names) allowedBy(root *x509.Certificate) Names {
	if machine := strings.ToLower(n.Machine); !below(root.PermittedDNSDomains, machine) {
		n.Machine = ""
	}
	ip := net.ParseIP(n.Required)
	switch {
	case n.Required == "":
	case ip != nil && !within(root.PermittedIPRanges, ip), ip == nil && !below(root.PermittedDNSDomains, strings.ToLower(n.Required)):
		n.refused = n.Required
	}
	return n
}

// private says whether an address is one of localRanges.
func private(addr netip.Addr) bool {
	return slices.ContainsFunc(localRanges, func(cidr string) bool {
		return netip.MustParsePrefix(cidr).Contains(addr.Unmap().WithZone(""))
	})
}

func within(ranges []*net.IPNet, ip net.IP) bool {
	return slices.ContainsFunc(ranges, func(r *net.IPNet) bool { return r.Contains(ip) })
}

// below says whether name is one of domains or ends in one.
func below(domains []string, name string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) })
}
