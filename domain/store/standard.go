package store

import "example.com/walkaround/domain"

// standard gives the sentence of the service standard (its section of courtesy phrases). Where the standard asks for a
// thing to be said without giving the words, the words are ours.
func standard(step Step, l domain.Language) string {
	for _, s := range standardPhrases {
		if s.step == step {
			return translation(s.hant, s.hans, s.english)[l]
		}
	}
	return ""
}

func translation(hant, hans, english string) map[domain.Language]string {
	return map[domain.Language]string{domain.ZhHant: hant, domain.ZhHans: hans, domain.English: english}
}

type sentence struct {
	step                Step
	hant, hans, english string
}

var standardPhrases = []sentence{
	{
		StepGreeting,
		"您好，我是{advisor}，很高興為您服務！",
		"您好，我是{advisor}，很高兴为您服务！",
		"Good day, my name is {advisor}, how may I be of service?",
	},
	{
		StepTelephone,
		"您好，{store}，有什麼可以幫到您？",
		"您好，{store}，有什么可以帮到您？",
		"Good day, this is {store}, how may I help you?",
	},
	{
		StepRestate,
		"{customer}{salutation}，我把您的要求復述一遍，請看我的理解對不對。",
		"{customer}{salutation}，我把您的要求复述一遍，请看我的理解对不对。",
		"{salutation} {customer}, let me repeat what you asked for. Please tell me whether I understood it correctly.",
	},
	{
		StepCustomer,
		"{customer}{salutation}，請您與我一起環車檢查一遍。",
		"{customer}{salutation}，请您与我一起环车检查一遍。",
		"{salutation} {customer}, please walk around the car with me.",
	},
	{
		StepValuables,
		"{customer}{salutation}，在我進入車內之前，請您帶好隨身的貴重物品。",
		"{customer}{salutation}，在我进入车内之前，请您带好随身的贵重物品。",
		"{salutation} {customer}, before I get into your car, please take your valuables with you.",
	},
	{
		StepCovers,
		"我現在當著您的面，為您的愛車裝上座椅套、方向盤套和腳墊。",
		"我现在当着您的面，为您的爱车装上座椅套、方向盘套和脚垫。",
		"I am now fitting the covers for the seat, the steering wheel and the floor, to keep your car clean.",
	},
	{
		StepConsent,
		"本人在場參與環車檢查並已閱讀本檢查單，確認單上所記車況與隨車物品屬實；本人已獲提醒將貴重物品隨身帶走。",
		"本人在场参与环车检查并已阅读本检查单，确认单上所记车况与随车物品属实；本人已获提醒将贵重物品随身带走。",
		"I was present at the walk-around and have read this sheet. The condition of the car and the belongings left in it " +
			"are as recorded here. I was reminded to take my valuables with me.",
	},
	{
		StepWaiting,
		"不好意思，{customer}{salutation}，讓您久等了！",
		"不好意思，{customer}{salutation}，让您久等了！",
		"I am sorry to have kept you waiting, {salutation} {customer}!",
	},
	{
		StepThanksWaiting,
		"{customer}{salutation}，感謝您的耐心等候！",
		"{customer}{salutation}，感谢您的耐心等候！",
		"{salutation} {customer}, thank you for your patience!",
	},
	{
		StepKeepOut,
		"對不起！{customer}{salutation}，車間危險，請您到休息室休息。",
		"对不起！{customer}{salutation}，车间危险，请您到休息室休息。",
		"Excuse me! {salutation} {customer}, the workshop is a dangerous place, please make yourself comfortable in the lounge.",
	},
	{
		StepAskAtReception,
		"對不起，{customer}{salutation}，跟您講話會影響到保養/修理好您的愛車。請您到前臺諮詢。",
		"对不起，{customer}{salutation}，跟您讲话会影响到保养/修理好您的爱车。请您到前台咨询。",
		"I am sorry, {salutation} {customer}, talking now would keep me from doing my best work on your car. " +
			"Our front desk will gladly answer your questions.",
	},
	{
		StepCashier,
		"{customer}{salutation}，感謝您的惠顧！",
		"{customer}{salutation}，感谢您的惠顾！",
		"{salutation} {customer}, thank you for your business!",
	},
	{
		StepFarewell,
		"感謝您光臨{store}，祝您駕車愉快！",
		"感谢您光临{store}，祝您驾车愉快！",
		"Thank you for visiting {store}, we wish you a pleasant drive!",
	},
}
