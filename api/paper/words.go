package paper

// The languages of a sheet, as columns of words.
const (
	hant = iota
	hans
	english
)

// column is a language's column of words.
func column(language string) int {
	switch language {
	case "zh-Hant":
		return hant
	case "zh-Hans":
		return hans
	}
	return english
}

// words are all fixed words of the sheet. A key "set.value" names a value of an enumeration.
var words = map[string][3]string{
	"title":         {"環車檢查單", "环车检查单", "Walk-around sheet"},
	"number":        {"單號", "单号", "No."},
	"revision":      {"第 %d 版", "第 %d 版", "Revision %d"},
	"page":          {"第 %d 頁，共 %d 頁", "第 %d 页，共 %d 页", "Page %d of %d"},
	"digest":        {"文件指紋", "文件指纹", "Digest"},
	"draft":         {"草稿：尚未簽字確認", "草稿：尚未签字确认", "Draft: not signed yet"},
	"superseded":    {"此單已由新的簽字版本取代。", "此单已由新的签字版本取代。", "A newer signed revision replaces this sheet."},
	"conflict":      {"簽字送達之前內容已有更改；此單為客戶當時看到並簽字的內容。", "签字送达之前内容已有更改；此单为客户当时看到并签字的内容。", "The record had changed before this signature arrived; this is what the customer saw and signed."},
	"customer":      {"客戶", "客户", "Customer"},
	"phone":         {"電話", "电话", "Phone"},
	"advisor":       {"服務顧問", "服务顾问", "Service advisor"},
	"model":         {"車型", "车型", "Model"},
	"vin":           {"車架號 (VIN)", "车架号 (VIN)", "VIN"},
	"odometer":      {"里程", "里程", "Odometer"},
	"km":            {"%s 公里", "%s 公里", "%s km"},
	"reason":        {"里程說明：%s", "里程说明：%s", "About the odometer: %s"},
	"remark":        {"備註：%s", "备注：%s", "Note: %s"},
	"recordings":    {"錄音：%d", "录音：%d", "Recordings: %d"},
	"further":       {"另有 %d 項資料，見隨附的 inspection.json", "另有 %d 项资料，见随附的 inspection.json", "Further data: %d entries, in inspection.json"},
	"arrived":       {"進廠時間", "进厂时间", "Arrived"},
	"wanted":        {"希望取車", "希望取车", "Wanted back"},
	"fuel":          {"油量", "油量", "Fuel"},
	"requests":      {"顧客要求", "顾客要求", "What you asked for"},
	"restated":      {"已復述確認", "已复述确认", "Restated to you and confirmed"},
	"not_restated":  {"尚未復述", "尚未复述", "Not yet restated"},
	"drawing":       {"車身狀況", "车身状况", "Condition of the car"},
	"no_damage":     {"未發現損傷", "未发现损伤", "No damage found"},
	"damages":       {"損傷記錄", "损伤记录", "Damage"},
	"where":         {"位置", "位置", "Where"},
	"kind":          {"種類", "种类", "Kind"},
	"severity":      {"程度", "程度", "Severity"},
	"length":        {"長度", "长度", "Length"},
	"status":        {"比對上次", "比对上次", "Since last visit"},
	"first_seen":    {"首見 %s", "首见 %s", "first seen on %s"},
	"note":          {"說明", "说明", "Note"},
	"photo":         {"照片", "照片", "Photo"},
	"photos":        {"照片", "照片", "Photos"},
	"photo_missing": {"照片無法顯示", "照片无法显示", "Photo unavailable"},
	"photos_more":   {"另有 %d 張照片未印出，見隨附記錄。", "另有 %d 张照片未印出，见随附记录。", "%d more photos are not printed; the attached record names them."},
	"checklist":     {"檢查項目", "检查项目", "Checklist"},
	"template":      {"檢查表第 %d 版", "检查表第 %d 版", "Checklist version %d"},
	"belongings":    {"隨車物品", "随车物品", "Belongings in the car"},
	"no_belongings": {"無隨車物品登記", "无随车物品登记", "None listed"},
	"item":          {"物品", "物品", "Item"},
	"quantity":      {"數量", "数量", "Qty"},
	"kept":          {"存放", "存放", "Kept"},
	"valuable":      {"貴重", "贵重", "Valuable"},
	"reception":     {"接待確認", "接待确认", "At reception"},
	"present":       {"檢查時客戶在場", "检查时客户在场", "Customer present at the walk-around"},
	"not_present":   {"檢查時客戶不在場", "检查时客户不在场", "Customer not present at the walk-around"},
	"reminder":      {"已提醒收妥貴重物品", "已提醒收妥贵重物品", "Reminded of valuables before entering the car"},
	"no_reminder":   {"未記錄貴重物品提醒", "未记录贵重物品提醒", "No reminder of valuables recorded"},
	"covers":        {"已安裝三件套", "已安装三件套", "Protective covers fitted"},
	"no_covers":     {"三件套未全部安裝", "三件套未全部安装", "Protective covers not all fitted"},
	"fitted_by":     {"安裝人：%s", "安装人：%s", "fitted by %s"},
	"cover.seat":    {"座椅套", "座椅套", "seat"},
	"cover.wheel":   {"方向盤套", "方向盘套", "steering wheel"},
	"cover.floor":   {"腳墊", "脚垫", "floor"},
	"engine.quiet":  {"發動機：無異響", "发动机：无异响", "Engine: no abnormal noise"},
	"engine.noise":  {"發動機：有異響", "发动机：有异响", "Engine: abnormal noise"},
	"engine.none":   {"發動機：未檢查", "发动机：未检查", "Engine: not checked"},
	"signature":     {"簽字確認", "签字确认", "Signature"},
	"signer":        {"簽字人", "签字人", "Signed by"},
	"relation":      {"身份", "身份", "Relation"},
	"signed_at":     {"簽字時間", "签字时间", "Signed at"},
	"sealed_at":     {"封存時間", "封存时间", "Sealed at"},
	"witness":       {"見證 (服務顧問)", "见证 (服务顾问)", "Witness (advisor)"},
	"no_signature":  {"無簽字圖像", "无签字图像", "No signature image"},
	"verify":        {"如何查驗此單", "如何查验此单", "How to verify this sheet"},
	"verify_how": {
		"掃描二維碼，或打開下面的網址：無需帳號即可確認此單真偽，以及是否有更新版本。此 PDF 內附客戶簽字時的完整記錄 (inspection.json) 與封存資料 (seal.json)；其 SHA-256 必須與下面的文件指紋一致。",
		"扫描二维码，或打开下面的网址：无需账号即可确认此单真伪，以及是否有更新版本。此 PDF 内附客户签字时的完整记录 (inspection.json) 与封存资料 (seal.json)；其 SHA-256 必须与下面的文件指纹一致。",
		"Scan the code or open the address below: it tells, without an account, whether this sheet is genuine and whether a newer one exists. This PDF carries the complete record that was signed (inspection.json) and its seal (seal.json); the SHA-256 of the record must equal the digest below.",
	},
	"address": {"網址", "网址", "Address"},
	"chain":   {"記錄鏈首", "记录链首", "Chain head"},
	"zone":    {"時間均為 %s", "时间均为 %s", "All times are %s"},

	"view.front":    {"前", "前", "Front"},
	"view.rear":     {"後", "后", "Rear"},
	"view.left":     {"左側", "左侧", "Left"},
	"view.right":    {"右側", "右侧", "Right"},
	"view.top":      {"車頂", "车顶", "Top"},
	"view.interior": {"車內", "车内", "Interior"},

	"kind.scratch": {"刮痕", "划痕", "Scratch"},
	"kind.dent":    {"凹陷", "凹陷", "Dent"},
	"kind.chip":    {"掉漆", "掉漆", "Chip"},
	"kind.crack":   {"裂紋", "裂纹", "Crack"},
	"kind.rust":    {"鏽蝕", "锈蚀", "Rust"},
	"kind.stain":   {"污漬", "污渍", "Stain"},
	"kind.missing": {"缺件", "缺件", "Missing part"},
	"kind.other":   {"其他", "其他", "Other"},

	"severity.minor":    {"輕微", "轻微", "Minor"},
	"severity.moderate": {"中等", "中等", "Moderate"},
	"severity.severe":   {"嚴重", "严重", "Severe"},

	"status.new":      {"新發現", "新发现", "New"},
	"status.same":     {"與上次相同", "与上次相同", "Same"},
	"status.worse":    {"加重", "加重", "Worse"},
	"status.repaired": {"已修復", "已修复", "Repaired"},

	"result.ok":             {"正常", "正常", "OK"},
	"result.attention":      {"注意", "注意", "Attention"},
	"result.urgent":         {"急需處理", "急需处理", "Urgent"},
	"result.not_applicable": {"不適用", "不适用", "Not applicable"},
	"result.":               {"未檢查", "未检查", "Not checked"},

	"kept.left_in_car":       {"留在車內", "留在车内", "Left in the car"},
	"kept.taken_by_customer": {"客戶帶走", "客户带走", "Taken by the customer"},
	"kept.held_by_us":        {"本店保管", "本店保管", "Held by us"},

	"relation.owner":    {"車主", "车主", "Owner"},
	"relation.family":   {"家人", "家人", "Family"},
	"relation.driver":   {"司機", "司机", "Driver"},
	"relation.employee": {"員工", "员工", "Employee"},
}

// say is the fixed word of a key in the sheet's language.
func (p *press) say(key string) string { return words[key][p.lang] }

// name is the word for an enumerated value, or the value itself when it is not known.
func (p *press) name(set, value string) string {
	if w, ok := words[set+"."+value]; ok {
		return w[p.lang]
	}
	return value
}
