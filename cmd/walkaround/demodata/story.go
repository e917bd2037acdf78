package demodata

import (
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
)

// person is a customer of the story; the numbers are nobody's.
func person(name, salutation, lastDigits string) visit.Customer {
	return visit.Customer{Name: name, Salutation: salutation, Phone: "+86 138 0013 80" + lastDigits}
}

// thing is a belonging.
func thing(description string, quantity int64, valuable bool, kept visit.Kept) visit.Belonging {
	return visit.Belonging{Description: description, Quantity: &quantity, Valuable: &valuable, Kept: kept}
}

func accord() car {
	return car{"粵A·12345", "LHGCM82683A004352", "本田 Honda", "Accord 雅閣 2.0", "珍珠白", 2019, 45_210, 18}
}

func camry() car {
	return car{"粵C·66021", "LVGBH42K9NG108362", "豐田 Toyota", "Camry 凱美瑞 2.5", "銀灰", 2022, 31_800, 7}
}

// stays are the visits, in order of their arrival; the last one came a minute ago.
func stays() []stay {
	return append(before(), today()...)
}

// before are the visits of the last two days.
func before() []stay {
	old := accord()
	old.km = 45_026
	return []stay{
		{
			name: "accord-earlier", car: old, who: person("陳大文", "先生", "01"), language: domain.ZhHant, ago: 50 * time.Hour,
			by: "mei", taker: "mei", stage: signed, words: []string{"冷氣不夠冷", "順便檢查胎壓"}, fuel: 65,
			damages: []damage{
				{
					id: "d1", view: visit.Left, x: 0.60, y: 0.55, px: 0.63, py: 0.54, size: 0.6,
					kind: visit.Scratch, severity: visit.Minor, mm: 60, note: "左後車門，手摸不到深度",
				},
				{
					id: "d2", view: visit.Front, x: 0.40, y: 0.47, px: 0.44, py: 0.56, size: 1,
					kind: visit.Chip, severity: visit.Minor, mm: 4, note: "引擎蓋石擊",
				},
			},
			things: []visit.Belonging{thing("停車證", 1, false, visit.LeftInCar)},
		},
		{
			name: "tesla", car: car{"粵B·8T888", "LRW3E7EK4PC128846", "Tesla", "Model 3", "Red", 2023, 18_940, 4},
			who: person("David Miller", "Mr", "12"), language: domain.English, ago: 30 * time.Hour,
			by: "jun", taker: "jun", stage: signed, words: []string{"There is a rattle from the right front door at about 80 km/h.", "Please rotate the tyres."}, fuel: 72,
			damages: []damage{{
				id: "d1", view: visit.Right, x: 0.60, y: 0.60, px: 0.55, py: 0.57, size: 0.9,
				kind: visit.Scratch, severity: visit.Moderate, mm: 180, note: "front door, through the clear coat",
			}},
			things: []visit.Belonging{
				thing("Sunglasses", 1, false, visit.LeftInCar), thing("Laptop bag", 1, true, visit.TakenByCustomer), thing("Child seat", 1, false, visit.LeftInCar),
			},
		},
		{
			name: "cancelled", car: car{"粵A·5Q730", "LFV3A28KXL3075120", "奧迪 Audi", "A4L", "黑", 2020, 60_120, 17},
			who: person("趙子龍", "先生", "23"), ago: 28 * time.Hour, by: "jun", taker: "jun", stage: taken, cancelled: "客戶臨時有急事，改約下星期",
		},
		{
			name: "byd", car: car{"粵A·D12345", "LGXC76C44R0213057", "比亚迪 BYD", "汉 EV", "墨绿", 2024, 22_400, 2},
			who: person("李嘉欣", "小姐", "34"), language: domain.ZhHans, ago: 26 * time.Hour,
			by: "mei", taker: "mei", stage: signed, words: []string{"充电到百分之八十就停", "雨刮有声音"}, fuel: 41,
			damages: []damage{{
				id: "d1", view: visit.Rear, x: 0.30, y: 0.78, px: 0.40, py: 0.69, size: 0.8,
				kind: visit.Dent, severity: visit.Minor, mm: 70, note: "后保险杠左侧",
			}},
			things: []visit.Belonging{thing("雨伞", 2, false, visit.LeftInCar)}, urgent: map[string]string{"wiper.front": "胶条老化"},
			reopened: "客户想起后备箱里还有一个袋子", forgotten: new(thing("后备箱内的纸袋", 1, false, visit.LeftInCar)),
		},
	}
}

// today are the visits of this day: most of them are in the house.
func today() []stay {
	half := damage{
		id: "d1", view: visit.Left, x: 0.80, y: 0.47, px: 0.76, py: 0.53, size: 0.8,
		kind: visit.Scratch, severity: visit.Minor, mm: 120, note: "左後葉子板",
	}
	return []stay{
		returning(),
		{
			name: "camry", car: camry(), who: person("何志強", "先生", "45"), language: domain.ZhHant, ago: 58 * time.Minute,
			by: "ting", taker: "jun", stage: signed, words: []string{"四萬公里保養", "煞車時方向盤會抖"}, fuel: 30,
			damages: []damage{{
				id: "d1", view: visit.Left, x: 0.42, y: 0.64, px: 0.47, py: 0.63, size: 0.8,
				kind: visit.Dent, severity: visit.Moderate, mm: 90, note: "左前車門下緣",
			}},
			reopened: "右後輪圈的刮痕漏記，請客戶再看一次",
		},
		{
			name: "ready", car: car{"粵A·7K3P9", "LSVNV2BR1M2016648", "福斯 Volkswagen", "Passat 帕薩特", "灰", 2021, 52_300, 11},
			who: person("黃美玲", "女士", "56"), language: domain.ZhHant, ago: 36 * time.Minute,
			by: "mei", taker: "mei", stage: complete, words: []string{"右前輪有異音", "換機油"}, fuel: 48, views: []visit.View{visit.Front},
			damages: []damage{{
				id: "d1", view: visit.Front, x: 0.40, y: 0.28, px: 0.43, py: 0.43, size: 0.8,
				kind: visit.Crack, severity: visit.Severe, mm: 45, note: "前擋風玻璃，副駕駛側",
			}},
			things: []visit.Belonging{thing("行車記錄器", 1, true, visit.LeftInCar)}, urgent: map[string]string{"glass.windshield": "有裂痕，見照片"},
		},
		{
			name: "halfway", car: car{"粵E·2M618", "LGBH52E02JY447109", "日產 Nissan", "Sylphy 軒逸", "白", 2018, 88_450, 19},
			who: person("吳建國", "先生", "67"), language: domain.ZhHant, ago: 27 * time.Minute,
			by: "jun", taker: "jun", stage: halfway, words: []string{"八萬公里大保養"}, fuel: 22, damages: []damage{half},
		},
		{
			name: "waiting-long", car: car{plate: "粵A·3H556"}, who: person("張偉", "先生", "78"), ago: 23 * time.Minute, by: "lan", stage: waiting,
		},
		{
			name: "asked", car: car{"粵A·88X21", "LE4ZG4JB9NL260715", "賓士 Mercedes-Benz", "C 260 L", "黑", 2022, 40_070, 38},
			who: person("周雅文", "小姐", "89"), language: domain.ZhHant, ago: 18 * time.Minute,
			by: "mei", taker: "mei", stage: asked, words: []string{"儀表板亮黃燈", "後座安全帶收不回去"}, fuel: 55,
		},
		{
			name: "taken", car: car{plate: "粵S·Q5207"}, who: person("Emma Wilson", "Ms", "90"), ago: 12 * time.Minute, by: "li", taker: "li", stage: taken,
		},
		{name: "waiting", car: car{plate: "粵A·F06688"}, who: person("劉德輝", "先生", "95"), ago: 8 * time.Minute, by: "ting", stage: waiting},
		{name: "waiting-short", car: car{plate: "粵X·71G20"}, ago: 3 * time.Minute, by: "mei", stage: waiting},
		{name: "announced", car: car{plate: "粵A·K9021"}, ago: time.Minute, by: "an", stage: waiting},
	}
}

// returning is a car that the house knows: its walk-around begins with what was seen two days before.
func returning() stay {
	return stay{
		name: "accord", car: accord(), who: person("陳大文", "先生", "01"), language: domain.ZhHant, ago: 95 * time.Minute,
		by: "mei", taker: "mei", stage: signed, words: []string{"煞車有異響，尤其早上", "換機油，順便看一下空調濾芯"}, fuel: 40,
		views: []visit.View{visit.Interior},
		damages: []damage{
			{
				id: "d1", view: visit.Left, x: 0.60, y: 0.55, px: 0.63, py: 0.54, size: 1.1, kind: visit.Scratch, severity: visit.Moderate, mm: 140,
				note: "左後車門，比上次長", known: "accord-earlier.d1", change: visit.Worse,
			},
			{
				id: "d2", view: visit.Front, x: 0.40, y: 0.47, px: 0.44, py: 0.56, size: 1, kind: visit.Chip, severity: visit.Minor, mm: 4,
				note: "引擎蓋石擊", known: "accord-earlier.d2", change: visit.Same,
			},
			{
				id: "d3", view: visit.Rear, x: 0.66, y: 0.78, px: 0.60, py: 0.69, size: 0.8, kind: visit.Dent, severity: visit.Minor, mm: 55,
				note: "後保險桿右側",
			},
		},
		things: []visit.Belonging{
			thing("太陽眼鏡", 1, false, visit.LeftInCar), thing("筆記型電腦", 1, true, visit.TakenByCustomer),
			thing("兒童安全座椅", 1, false, visit.LeftInCar), thing("高速公路通行卡", 1, true, visit.HeldByUs),
		},
		urgent: map[string]string{"tyre.front_left": "胎紋約 2.5 毫米", "wiper.front": "刮水有痕"}, sound: true,
	}
}
