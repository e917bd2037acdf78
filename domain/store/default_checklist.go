package store

import "example.com/walkaround/domain"

// DefaultChecklist is the template that every store begins with, in all languages: what R5 names and what dealers look
// at, in walking order, outside first. Few items are required, so that a walk-around stays quick.
func DefaultChecklist(storeID string, now domain.Time) Checklist {
	items := []ChecklistItem{}
	for _, s := range defaultSections {
		for _, e := range s.entries {
			items = append(items, ChecklistItem{
				Code: e.code, Required: e.required,
				Section: s.hant, SectionLabels: translation(s.hant, s.hans, s.english),
				Label: e.hant, Labels: translation(e.hant, e.hans, e.english),
			})
		}
	}
	return Checklist{
		ID: DefaultChecklistID(storeID), StoreID: storeID, Kind: KindInspection, Version: 1, Items: items,
		Name: "環車檢查", Names: translation("環車檢查", "环车检查", "Walk-around"),
		Revision: 1, CreatedAt: now, UpdatedAt: now,
	}
}

type entry struct {
	code                string
	required            bool
	hant, hans, english string
}

type section struct {
	hant, hans, english string
	entries             []entry
}

const must = true // answered before the customer signs

var defaultSections = []section{
	{"車身漆面", "车身漆面", "Body and paint", []entry{
		{"paint.body", must, "車身漆面（整體）", "车身漆面（整体）", "Paintwork overall"},
		{"paint.front_bumper", false, "前保險桿", "前保险杠", "Front bumper"},
		{"paint.bonnet", false, "引擎蓋", "发动机舱盖", "Bonnet"},
		{"paint.roof", false, "車頂", "车顶", "Roof"},
		{"paint.front_right_wing", false, "右前葉子板", "右前翼子板", "Right front wing"},
		{"paint.front_right_door", false, "右前車門", "右前车门", "Right front door"},
		{"paint.rear_right_door", false, "右後車門", "右后车门", "Right rear door"},
		{"paint.rear_right_wing", false, "右後葉子板", "右后翼子板", "Right rear wing"},
		{"paint.tailgate", false, "行李廂蓋／尾門", "后备箱盖／尾门", "Boot lid or tailgate"},
		{"paint.rear_bumper", false, "後保險桿", "后保险杠", "Rear bumper"},
		{"paint.rear_left_wing", false, "左後葉子板", "左后翼子板", "Left rear wing"},
		{"paint.rear_left_door", false, "左後車門", "左后车门", "Left rear door"},
		{"paint.front_left_door", false, "左前車門", "左前车门", "Left front door"},
		{"paint.front_left_wing", false, "左前葉子板", "左前翼子板", "Left front wing"},
	}},
	{"玻璃與後視鏡", "玻璃与后视镜", "Glass and mirrors", []entry{
		{"glass.windshield", must, "前擋風玻璃", "前挡风玻璃", "Windshield"},
		{"glass.side", must, "側窗玻璃", "侧窗玻璃", "Side windows"},
		{"glass.rear", false, "後擋風玻璃", "后挡风玻璃", "Rear window"},
		{"mirror.left", false, "左後視鏡", "左后视镜", "Left door mirror"},
		{"mirror.right", false, "右後視鏡", "右后视镜", "Right door mirror"},
	}},
	{"車燈", "车灯", "Lights", []entry{
		{"lights.head", must, "頭燈（近光、遠光）", "大灯（近光、远光）", "Headlights, low and high beam"},
		{"lights.indicators", false, "方向燈與警示燈", "转向灯与危险警告灯", "Indicators and hazard lights"},
		{"lights.fog", false, "霧燈", "雾灯", "Fog lights"},
		{"lights.tail", false, "尾燈", "尾灯", "Tail lights"},
		{"lights.brake", false, "煞車燈", "刹车灯", "Brake lights"},
	}},
	{"輪胎與輪圈", "轮胎与轮毂", "Tyres and wheels", []entry{
		{"tyre.front_left", must, "左前輪胎", "左前轮胎", "Left front tyre"},
		{"tyre.front_right", must, "右前輪胎", "右前轮胎", "Right front tyre"},
		{"tyre.rear_right", must, "右後輪胎", "右后轮胎", "Right rear tyre"},
		{"tyre.rear_left", must, "左後輪胎", "左后轮胎", "Left rear tyre"},
		{"rim.front_left", false, "左前輪圈", "左前轮毂", "Left front rim"},
		{"rim.front_right", false, "右前輪圈", "右前轮毂", "Right front rim"},
		{"rim.rear_right", false, "右後輪圈", "右后轮毂", "Right rear rim"},
		{"rim.rear_left", false, "左後輪圈", "左后轮毂", "Left rear rim"},
	}},
	{"後車廂與隨車工具", "后备箱与随车工具", "Boot and tools", []entry{
		{"trunk.inside", must, "後車廂", "后备箱", "Boot"},
		{"trunk.spare_wheel", false, "備胎／補胎工具", "备胎／补胎工具", "Spare wheel or repair kit"},
		{"trunk.tools", false, "千斤頂、工具與三角警示牌", "千斤顶、工具与三角警示牌", "Jack, tools and warning triangle"},
		{"fuel.flap", false, "加油蓋／充電口", "油箱盖／充电口", "Fuel flap or charging port"},
	}},
	{"雨刷", "雨刮", "Wipers", []entry{
		{"wiper.front", false, "前雨刷", "前雨刮", "Front wipers"},
		{"wiper.rear", false, "後雨刷", "后雨刮", "Rear wiper"},
		{"wiper.washer", false, "雨刷噴水", "玻璃清洗喷水", "Windscreen washer"},
	}},
	{"車內功能", "车内功能", "Functions inside", []entry{
		{"dashboard.warning_lamps", must, "儀表板警示燈", "仪表板警告灯", "Warning lamps on the dashboard"},
		{"window.all", must, "電動窗（全車）", "电动窗（全车）", "Power windows, all doors"},
		{"window.front_left", false, "左前電動窗", "左前电动窗", "Power window, left front"},
		{"window.front_right", false, "右前電動窗", "右前电动窗", "Power window, right front"},
		{"window.rear_left", false, "左後電動窗", "左后电动窗", "Power window, left rear"},
		{"window.rear_right", false, "右後電動窗", "右后电动窗", "Power window, right rear"},
		{"inside.locking", false, "中控鎖與鑰匙", "中控锁与钥匙", "Central locking and keys"},
		{"inside.sunroof", false, "天窗", "天窗", "Sunroof"},
		{"inside.horn", false, "喇叭", "喇叭", "Horn"},
		{"inside.air_conditioning", false, "冷氣空調", "空调", "Air conditioning"},
		{"inside.audio", false, "音響與影音螢幕", "音响与中控屏", "Audio and infotainment"},
		{"inside.lights", false, "車內燈", "车内灯", "Interior lights"},
		{"inside.seats", false, "座椅與安全帶", "座椅与安全带", "Seats and belts"},
		{"inside.documents", false, "車內證件", "车内证件", "Documents in the car"},
	}},
}
