package paper

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// drawnPhoto is a JPEG with a pattern that tells its number.
func drawnPhoto(tb testing.TB, seed, width, height int) []byte {
	tb.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := 60 * math.Sin(float64(x*(seed+1))/97) * math.Cos(float64(y)/53)
			img.SetRGBA(x, y, color.RGBA{uint8(120 + wave), uint8(130 + wave/2), uint8(90 + 7*seed%80), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// drawnSignature is a PNG with a transparent ground.
func drawnSignature(tb testing.TB) []byte {
	tb.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 640, 200))
	for i := range 6000 {
		t := float64(i) / 6000
		x, y := 40+560*t, 100+70*math.Sin(t*19)*math.Cos(t*7)
		for d := range 4 {
			img.SetNRGBA(int(x)+d/2, int(y)+d%2, color.NRGBA{20, 30, 90, 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func photoOf(id, caption string, data []byte) Photo {
	return Photo{ID: id, Caption: caption, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// sample is an ordinary sheet without photos.
func sample(tb testing.TB) Sheet {
	tb.Helper()
	zone := time.FixedZone("", 8*3600)
	at := time.Date(2026, 7, 23, 9, 12, 0, 0, zone)
	return Sheet{
		Language: "zh-Hant", Zone: zone,
		Store:  Store{"永和汽車服務廠", "廣州市天河區黃埔大道西 76 號", "+86 20 3847 1234"},
		Number: "20260723-0012", Revision: 2, Advisor: "林美",
		Plate: "粵A·12345", VIN: "LHGCM82633A004352", Model: "雅閣 2.4 EX-L，2019 年，珍珠白", OdometerKM: new(45210),
		Customer: Customer{"陳大文", "先生", "+86 138 0013 8000"}, ArrivedAt: at,
		Requests: []Request{
			{"煞車有異響，尤其早上第一次踩的時候，聲音像金屬摩擦。", true, at.Add(4 * time.Minute), "客戶說約兩週前開始。", 1},
			{"五萬公里保養，順便看看右後輪為什麼掉氣。", true, at.Add(6 * time.Minute), "", 0},
		},
		FuelPercent: new(40), WantedAt: at.Add(8 * time.Hour),
		CustomerPresent: true, ReminderAt: at.Add(7 * time.Minute),
		Covers:    Covers{true, true, true, at.Add(9 * time.Minute), "林美"},
		Engine:    Engine{true, false, "冷車起動，怠速平穩", 1},
		Checklist: sampleChecklist(), Damages: sampleDamages(),
		Belongings: []Belonging{
			{"太陽眼鏡（後座門袋）", 1, false, "left_in_car", nil, ""},
			{"筆記型電腦 14 吋，黑色電腦包", 1, true, "taken_by_customer", []int{4}, "含充電器"},
			{"兒童安全座椅", 1, false, "left_in_car", nil, ""},
			{"行車記錄器與記憶卡", 1, true, "held_by_us", nil, ""},
		},
		Consent: "本人已在場與服務顧問一同完成環車檢查，確認以上車況、隨車物品及顧客要求記錄屬實。",
		Signer:  Signer{"陳大文", "owner"}, SignedAt: at.Add(21 * time.Minute), SealedAt: at.Add(21*time.Minute + 4*time.Second),
		Signature: drawnSignature(tb),
		Digest:    "sha256:" + strings.Repeat("5f1d9c0a7be34286", 4), ChainHead: "sha256:" + strings.Repeat("a07c41e9d2b86f35", 4),
		VerifyURL: "https://service.example.com/v1/verify/sha256:" + strings.Repeat("5f1d9c0a7be34286", 4),
	}
}

func sampleDamages() []Damage {
	before := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	return []Damage{
		{1, "left", 0.20, 0.58, "scratch", "minor", new(80), "new", "前葉子板，見底漆", []int{1}, time.Time{}},
		{2, "left", 0.62, 0.55, "dent", "moderate", new(45), "same", "左後門，硬幣大小", []int{2}, before},
		{3, "rear", 0.75, 0.72, "scratch", "severe", new(310), "worse", "後保險槓右角多處擦傷，漆面剝落，建議報價鈑噴", []int{3, 4}, before},
		{4, "front", 0.5, 0.4, "chip", "minor", nil, "new", "擋風玻璃石擊點", nil, time.Time{}},
		{5, "front", 0.53, 0.42, "crack", "severe", new(60), "new", "由石擊點延伸", nil, time.Time{}},
		{6, "interior", 0.3, 0.5, "stain", "minor", nil, "same", "駕駛座椅", nil, before},
		{7, "right", 0.3, 0.6, "dent", "minor", nil, "repaired", "", nil, before},
		{8, "top", 0.5, 0.2, "chip", "minor", new(3), "new", "引擎蓋", nil, time.Time{}},
	}
}

func sampleChecklist() []Check {
	results := []string{"ok", "ok", "ok", "attention", "ok", "ok", "not_applicable", "ok", "urgent", ""}
	notes := map[int]string{3: "右後輪 1.8 bar，胎側有釘", 8: "前煞車片剩 2 mm"}
	var out []Check
	for i, label := range []string{
		"前擋風玻璃", "後擋風玻璃", "電動窗升降", "輪胎與胎壓", "前大燈", "尾燈與煞車燈", "霧燈", "方向燈", "煞車片厚度", "備胎與工具",
		"後尾箱", "雨刷片", "儀表警示燈", "冷氣", "喇叭", "中控鎖", "後視鏡", "天窗", "音響", "安全帶",
	} {
		out = append(out, Check{Section: []string{"玻璃與車窗", "輪胎", "燈光", "功能"}[i/5], Label: label, Result: results[i%10], Note: notes[i]})
	}
	return out
}
