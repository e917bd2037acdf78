package vehicle_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/walkaround/domain/vehicle"
)

func TestNormalizePlate(t *testing.T) {
	for typed, want := range map[string]string{
		"粵A·12345":        "粤A12345",
		"粤A12345":         "粤A12345",
		"粤a 12345":        "粤A12345",
		"粤Ａ・１２３４５":        "粤A12345",
		"粵A•12345":        "粤A12345",
		" 粵A.12-345\t":    "粤A12345",
		"粵A\u300012345":   "粤A12345",
		"粵A\u200b12345":   "粤A12345",
		"滬AD12345":        "沪AD12345",
		"雲A00001":         "云A00001",
		"遼B·D1234":        "辽BD1234",
		"魯C12345":         "鲁C12345",
		"蘇E12345":         "苏E12345",
		"贛A12345":         "赣A12345",
		"晉A12345":         "晋A12345",
		"陝A12345":         "陕A12345",
		"閩D12345":         "闽D12345",
		"貴A12345":         "贵A12345",
		"寧A12345":         "宁A12345",
		"瓊A12345":         "琼A12345",
		"京A·1234學":        "京A1234学",
		"粤Z·1234港":        "粤Z1234港",
		"臨A12345":         "临A12345",
		"川A1234掛":         "川A1234挂",
		"沪A1234領":         "沪A1234领",
		"渝A1234試":         "渝A1234试",
		"京·X1234應急":       "京X1234应急",
		"京A1234警":         "京A1234警",
		"ABC-1234":        "ABC1234",
		"1234-ab":         "1234AB",
		"hk 8888":         "HK8888",
		"ñ-12":            "Ñ12",
		"":                "",
		"·・-  .":          "",
		"粵A\xff\xfe12345": "粤A12345",
	} {
		if got := vehicle.NormalizePlate(typed); got != want {
			t.Errorf("NormalizePlate(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestPlateKeys(t *testing.T) {
	for plate, want := range map[string][]string{
		"粤A12345":  {"粤A12345", "345", "2345", "12345", "A12345"},
		"粤B8K72D":  {"粤B8K72D", "72D", "K72D", "8K72D", "B8K72D", "872"},
		"京A1234学":  {"京A1234学", "34学", "234学", "1234学", "A1234学", "234", "1234"},
		"粤AD12345": {"粤AD12345", "345", "2345", "12345", "D12345"},
		"123":      {"123"},
		"12":       {"12"},
		"":         nil,
	} {
		if got := vehicle.PlateKeys(plate); !slices.Equal(got, want) {
			t.Errorf("PlateKeys(%q) = %q, want %q", plate, got, want)
		}
	}
}

func FuzzNormalizePlate(f *testing.F) {
	for _, seed := range []string{"粵A·12345", "粤Ａ１２３４５", "京A1234學", "ABC-1234", "ǆ", "ı", "ß", "ﬁ", "\xff粵", "٣٤٥", "🚗"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		once := vehicle.NormalizePlate(typed)
		if again := vehicle.NormalizePlate(once); again != once {
			t.Errorf("%q became %q, then %q", typed, once, again)
		}
		if !utf8.ValidString(once) || strings.ContainsAny(once, " ·-./") {
			t.Errorf("%q became %q", typed, once)
		}
		if utf8.RuneCountInString(once) > utf8.RuneCountInString(typed) {
			t.Errorf("%q grew to %q", typed, once)
		}
		keys := vehicle.PlateKeys(once)
		if len(keys) > 0 && keys[0] != once || len(keys) > 8 || slices.Contains(keys, "") {
			t.Errorf("keys of %q: %q", once, keys)
		}
	})
}

func TestNormalizeVIN(t *testing.T) {
	for typed, want := range map[string]string{
		"lhgcm82633a004352":     "LHGCM82633A004352",
		" LHG-CM8 2633A.004352": "LHGCM82633A004352",
		"ＬＨＧ１２３":                "LHG123",
		"":                      "",
	} {
		if got := vehicle.NormalizeVIN(typed); got != want {
			t.Errorf("NormalizeVIN(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestCheckVINWarns(t *testing.T) {
	for _, c := range []struct {
		name, vin  string
		everywhere bool
		want       string
	}{
		{"American, right", "1HGCM82633A004352", false, ""},
		{"American, wrong digit", "1HGCM82643A004352", false, "vin_check_digit"},
		{"American, two characters swapped", "1HGCM82633A003452", false, "vin_check_digit"},
		{"check digit X", "1M8GDM9AXKP042788", false, ""},
		{"all ones", "11111111111111111", false, ""},
		{"typed in small letters with spaces", "1hgcm826 33a004352", false, ""},
		{"Chinese, right", "LHGCM82683A004352", false, ""},
		{"Chinese, wrong digit", "LHGCM82633A004352", false, "vin_check_digit"},
		{"European without a check digit", "WVWZZZ1JZ3W386752", false, ""},
		{"European where all are expected to have one", "WVWZZZ1JZ3W386752", true, "vin_check_digit"},
		{"Japanese", "JHMCM56557C404453", true, ""},
		{"too short", "1HGCM82633A00435", false, "vin_form"},
		{"too long", "1HGCM82633A0043522", false, "vin_form"},
		{"holds an O", "1HGCM82633AO04352", false, "vin_form"},
		{"holds an I", "1HGCM82633AI04352", false, "vin_form"},
		{"holds a Q", "1HGCM82633AQ04352", false, "vin_form"},
		{"an old car's chassis number", "VC1234567", true, "vin_form"},
		{"hanzi", "一二三四五六七八九十一二三四五六七", false, "vin_form"},
		{"none", "", true, ""},
	} {
		if got := vehicle.CheckVIN(c.vin, c.everywhere); string(got) != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
