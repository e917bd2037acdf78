package timestamp

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// The parts of RFC 3161 and of CMS (RFC 5652) that a token is made of, in strict DER.

type response struct {
	Status struct {
		Status int
		Text   []asn1.RawValue `asn1:"optional"`
		Fault  asn1.BitString  `asn1:"optional"`
	}
	Token asn1.RawValue `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version          int
	DigestAlgorithms asn1.RawValue
	Content          struct {
		Type asn1.ObjectIdentifier
		Data []byte `asn1:"explicit,tag:0"`
	}
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version            int
	ID                 asn1.RawValue // issuer and serial number, or [0] the subject key identifier
	DigestAlgorithm    pkix.AlgorithmIdentifier
	Attributes         asn1.RawValue `asn1:"optional,tag:0"`
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
	Unsigned           asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue
}

// tstInfo is what the authority says.
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Hash      []byte
	}
	Serial   *big.Int
	Time     time.Time `asn1:"generalized"`
	Accuracy struct {
		Seconds int `asn1:"optional"`
		Millis  int `asn1:"optional,tag:0"`
		Micros  int `asn1:"optional,tag:1"`
	} `asn1:"optional"`
	Ordering   bool             `asn1:"optional,default:false"`
	Nonce      *big.Int         `asn1:"optional"`
	Authority  asn1.RawValue    `asn1:"optional,tag:0"`
	Extensions []pkix.Extension `asn1:"optional,tag:1"`
}

// maxCertificates bounds what a chain is searched in.
const maxCertificates = 16

// stamp is a token taken apart.
type stamp struct {
	info         tstInfo
	content      []byte // the DER of info
	signer       signerInfo
	attributes   map[string][]byte // the one value of each signed attribute
	certificates []*x509.Certificate
	certificate  *x509.Certificate // the signer's
}

func (s stamp) authority() string { return s.certificate.Subject.String() }

// decode reads DER and refuses bytes behind it.
func decode(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err != nil {
		return untrusted("%v", err)
	}
	if len(rest) > 0 {
		return untrusted("%d bytes are left over", len(rest))
	}
	return nil
}

// granted takes the token out of an answer, or says why there is none.
func granted(answer []byte) ([]byte, error) {
	var res response
	if err := decode(answer, &res); err != nil {
		return nil, err
	}
	if status := res.Status.Status; status != 0 && status != 1 { // granted, granted with modifications
		return nil, fmt.Errorf("%w: status %d", ErrRefused, status)
	}
	if len(res.Token.FullBytes) == 0 {
		return nil, untrusted("it is granted, but not there")
	}
	return res.Token.FullBytes, nil
}

// parse takes a token apart; nothing is verified yet.
func parse(token []byte) (stamp, error) {
	var outer contentInfo
	var data signedData
	if err := decode(token, &outer); err != nil {
		return stamp{}, err
	}
	if !outer.Type.Equal(oidSignedData) {
		return stamp{}, untrusted("it holds no signed data")
	}
	if err := decode(outer.Content.Bytes, &data); err != nil {
		return stamp{}, err
	}
	if !data.Content.Type.Equal(oidTSTInfo) || len(data.Signers) != 1 {
		return stamp{}, untrusted("it is not one signature over a time")
	}
	s := stamp{content: data.Content.Data, signer: data.Signers[0]}
	if err := decode(s.content, &s.info); err != nil {
		return stamp{}, err
	}
	var err error
	if s.attributes, err = attributesOf(s.signer.Attributes.Bytes); err != nil {
		return stamp{}, err
	}
	if s.certificates, err = certificatesOf(data.Certificates.Bytes); err != nil {
		return stamp{}, err
	}
	s.certificate, err = s.signedBy()
	return s, err
}

// attributesOf reads the signed attributes: each type once and with one value.
func attributesOf(der []byte) (map[string][]byte, error) {
	out := map[string][]byte{}
	for len(der) > 0 {
		var a attribute
		var value asn1.RawValue
		rest, err := asn1.Unmarshal(der, &a)
		if err != nil {
			return nil, untrusted("%v", err)
		}
		if a.Values.Tag != asn1.TagSet || a.Values.Class != asn1.ClassUniversal {
			return nil, untrusted("a signed attribute has no set of values")
		}
		if err := decode(a.Values.Bytes, &value); err != nil {
			return nil, err
		}
		if _, twice := out[a.Type.String()]; twice {
			return nil, untrusted("a signed attribute is there twice")
		}
		out[a.Type.String()], der = value.FullBytes, rest
	}
	return out, nil
}

// certificatesOf reads the X.509 certificates and passes over those of other kinds, which carry tags.
func certificatesOf(der []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for len(der) > 0 {
		var raw asn1.RawValue
		rest, err := asn1.Unmarshal(der, &raw)
		if err != nil {
			return nil, untrusted("%v", err)
		}
		der = rest
		if raw.Class != asn1.ClassUniversal {
			continue
		}
		certificate, err := x509.ParseCertificate(raw.FullBytes)
		if err != nil {
			return nil, untrusted("%v", err)
		}
		if out = append(out, certificate); len(out) > maxCertificates {
			return nil, untrusted("it brings more than %d certificates", maxCertificates)
		}
	}
	return out, nil
}

// signedBy finds the certificate that the signer names.
func (s stamp) signedBy() (*x509.Certificate, error) {
	id := s.signer.ID
	var named issuerAndSerial
	if id.Class == asn1.ClassUniversal {
		if err := decode(id.FullBytes, &named); err != nil {
			return nil, err
		}
	}
	i := slices.IndexFunc(s.certificates, func(c *x509.Certificate) bool {
		if named.Serial != nil {
			return c.SerialNumber.Cmp(named.Serial) == 0 && bytes.Equal(c.RawIssuer, named.Issuer.FullBytes)
		}
		return id.Class == asn1.ClassContextSpecific && id.Tag == 0 && len(id.Bytes) > 0 && bytes.Equal(c.SubjectKeyId, id.Bytes)
	})
	if i < 0 {
		return nil, untrusted("the signer's certificate is not there")
	}
	return s.certificates[i], nil
}
