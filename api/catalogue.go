package api

import (
	"net/http"

	"golang.org/x/text/language"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
)

// entry is one refusal of the catalogue: the page /problems is made of it.
type entry struct {
	status int
	hant   string
	hans   string
	en     string
}

func (e entry) title(lang string) string {
	switch lang {
	case "zh-Hant":
		return e.hant
	case "zh-Hans":
		return e.hans
	default:
		return e.en
	}
}

// catalogue maps every code to its status and titles. A code that is not here is answered as internal.
var catalogue = map[domain.Code]entry{
	codeMalformedJSON:          {http.StatusBadRequest, "內容不是有效的 JSON", "内容不是有效的 JSON", "The body is not valid JSON"},
	codeUnknownField:           {http.StatusBadRequest, "含有未知欄位", "含有未知字段", "A field is not known"},
	codeWrongType:              {http.StatusBadRequest, "欄位型別錯誤", "字段类型错误", "A field has the wrong type"},
	codeUnknownParameter:       {http.StatusBadRequest, "含有未知的查詢參數", "含有未知的查询参数", "A query parameter is not known"},
	codeBadParameter:           {http.StatusBadRequest, "查詢參數有誤", "查询参数有误", "A query parameter is wrong"},
	codeBadHeader:              {http.StatusBadRequest, "請求標頭有誤", "请求标头有误", "A header is wrong"},
	codeBodyUnread:             {http.StatusBadRequest, "內容未完整送達", "内容未完整送达", "The body did not arrive whole"},
	codeUnauthenticated:        {http.StatusUnauthorized, "請先登入", "请先登录", "Sign in first"},
	auth.CodeCredentialsWrong:  {http.StatusUnauthorized, "帳號或密碼不正確", "账号或密码不正确", "User name or password is wrong"},
	auth.CodeTokenExpired:      {http.StatusUnauthorized, "登入已過期", "登录已过期", "The token has expired"},
	auth.CodeTokenInvalid:      {http.StatusUnauthorized, "登入憑證無效", "登录凭证无效", "The token is not valid"},
	auth.CodeSessionRevoked:    {http.StatusUnauthorized, "登入已被撤銷", "登录已被撤销", "The session was ended"},
	auth.CodeSessionExpired:    {http.StatusUnauthorized, "登入已過期", "登录已过期", "The session has expired"},
	auth.CodeAccountDisabled:   {http.StatusForbidden, "帳號已停用", "账号已停用", "The account is disabled"},
	codeForbidden:              {http.StatusForbidden, "沒有權限", "没有权限", "Your roles do not open this"},
	staff.CodeRoleNotGrantable: {http.StatusForbidden, "不能授予高於自己的角色", "不能授予高于自己的角色", "Nobody grants above his own roles"},
	domain.CodeNotFound:        {http.StatusNotFound, "找不到", "找不到", "Not found"},
	codeMethod:                 {http.StatusMethodNotAllowed, "不支援此方法", "不支持此方法", "The method is not known here"},

	domain.CodeIDTaken:          {http.StatusConflict, "此編號已被使用", "此编号已被使用", "The id is taken"},
	domain.CodeStillRunning:     {http.StatusConflict, "相同的請求仍在處理中", "相同的请求仍在处理中", "The first request is still running"},
	visit.CodeIntakeEmpty:       {http.StatusConflict, "尚未記錄顧客要求", "尚未记录顾客要求", "No request is recorded"},
	visit.CodeNotRestated:       {http.StatusConflict, "尚未向顧客復述要求", "尚未向顾客复述要求", "A request was not restated"},
	visit.CodeCoversNotFitted:   {http.StatusConflict, "尚未安裝三件套", "尚未安装三件套", "The covers are not fitted"},
	visit.CodeReminderMissing:   {http.StatusConflict, "尚未提示貴重物品", "尚未提示贵重物品", "The valuables reminder was not given"},
	visit.CodeReminderLate:      {http.StatusConflict, "貴重物品提示晚於進入車內", "贵重物品提示晚于进入车内", "The valuables reminder came after the car was entered"},
	visit.CodeCustomerAbsent:    {http.StatusConflict, "顧客不在場", "顾客不在场", "The customer is not present"},
	visit.CodeChecklist:         {http.StatusConflict, "檢查項目未完成", "检查项目未完成", "The checklist is not complete"},
	visit.CodeDamageNoPhoto:     {http.StatusConflict, "有損傷未附照片", "有损伤未附照片", "A damage has no photo"},
	visit.CodePhotoMissing:      {http.StatusConflict, "有照片尚未上傳", "有照片尚未上传", "A photo is not stored yet"},
	visit.CodeRecordingMissing:  {http.StatusConflict, "有錄音尚未上傳", "有录音尚未上传", "A recording is not stored yet"},
	visit.CodeSignerMissing:     {http.StatusConflict, "未填寫簽字人", "未填写签字人", "The signer is not named"},
	visit.CodeDocumentChanged:   {http.StatusConflict, "內容在展示後已變更", "内容在展示后已变更", "The sheet has changed since it was shown"},
	visit.CodeSectionFrozen:     {http.StatusConflict, "已簽字,內容已凍結", "已签字,内容已冻结", "The sheet is signed"},
	visit.CodeNotSigned:         {http.StatusConflict, "尚未簽字", "尚未签字", "The sheet is not signed"},
	visit.CodeWrongState:        {http.StatusConflict, "目前狀態不允許", "当前状态不允许", "The visit is not in a state for this"},
	visit.CodeReasonMissing:     {http.StatusConflict, "缺少原因", "缺少原因", "A reason is missing"},
	visit.CodeCoversNotRemoved:  {http.StatusConflict, "三件套尚未取下", "三件套尚未取下", "The covers are still fitted"},
	visit.CodeTooManyPhotos:     {http.StatusConflict, "照片過多", "照片过多", "Too many photos"},
	visit.CodeTooManyRecordings: {http.StatusConflict, "錄音過多", "录音过多", "Too many recordings"},
	visit.CodeTooManySignatures: {http.StatusConflict, "簽字次數過多", "签字次数过多", "Too many signatures"},
	staff.CodeUsernameTaken:     {http.StatusConflict, "使用者名稱已被使用", "用户名已被使用", "The user name is taken"},
	staff.CodeLastAdmin:         {http.StatusConflict, "不能移除最後一位管理員", "不能移除最后一位管理员", "The last admin must stay"},
	codeIDTakenStore:            {http.StatusConflict, "門店代號已被使用", "门店代号已被使用", "The store's id is taken"},
	vehicle.CodeVINDiffers:      {http.StatusConflict, "車架號碼不同", "车架号不同", "The vehicle has another VIN"},
	codePlateUnconfirmed:        {http.StatusConflict, "車牌屬於另一輛車,需確認", "车牌属于另一辆车,需确认", "The plate belongs to another vehicle; confirm it"},

	codeRange:              {http.StatusRequestedRangeNotSatisfiable, "範圍不存在", "范围不存在", "The range does not exist"},
	codePreconditionFailed: {http.StatusPreconditionFailed, "內容已被他人更新", "内容已被他人更新", "The resource has moved on"},
	codeTooLarge:           {http.StatusRequestEntityTooLarge, "內容過大", "内容过大", "The body is too large"},
	codeMediaType:          {http.StatusUnsupportedMediaType, "不支援的格式", "不支持的格式", "The media type is not taken"},
	domain.CodeInvalid:     {http.StatusUnprocessableEntity, "內容有誤", "内容有误", "One or more values are wrong"},
	domain.CodeKeyReused:   {http.StatusUnprocessableEntity, "Idempotency-Key 已用於其他請求", "Idempotency-Key 已用于其他请求", "The Idempotency-Key was used for another request"},
	codeFileDamaged:        {http.StatusUnprocessableEntity, "檔案損壞或不完整", "文件损坏或不完整", "The file is damaged or incomplete"},
	codePhotoPixels:        {http.StatusUnprocessableEntity, "圖片尺寸過大", "图片尺寸过大", "The picture has too many pixels"},
	codeDigestMismatch:     {http.StatusUnprocessableEntity, "內容與摘要不符", "内容与摘要不符", "The body does not match its Content-Digest"},
	staff.CodePasswordWeak: {http.StatusUnprocessableEntity, "密碼太弱", "密码太弱", "The password is too weak"},

	codePreconditionNeeded: {http.StatusPreconditionRequired, "缺少 If-Match", "缺少 If-Match", "A precondition is required"},
	codeRateLimited:        {http.StatusTooManyRequests, "請求過於頻繁", "请求过于频繁", "Too many requests"},
	auth.CodeThrottled:     {http.StatusTooManyRequests, "嘗試次數過多,請稍候", "尝试次数过多,请稍候", "Too many tries; wait a little"},
	codeInternal:           {http.StatusInternalServerError, "伺服器發生錯誤", "服务器发生错误", "Something went wrong on our side"},
	codeUnavailable:        {http.StatusServiceUnavailable, "服務暫時無法使用", "服务暂时无法使用", "Storage is out of reach"},
	auth.CodeBusy:          {http.StatusServiceUnavailable, "伺服器忙碌", "服务器繁忙", "The server is busy"},
	codeStorageFull:        {http.StatusInsufficientStorage, "儲存空間已滿", "存储空间已满", "The storage is full"},
}

// languages chooses among those that titles are written in.
var languages = language.NewMatcher([]language.Tag{language.English, language.MustParse("zh-Hant"), language.MustParse("zh-Hans")})

// acceptedLanguage chooses among en, zh-Hant and zh-Hans by Accept-Language.
func acceptedLanguage(r *http.Request) string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return "en"
	}
	_, i, confidence := languages.Match(tags...)
	if confidence == language.No {
		return "en"
	}
	return [...]string{"en", "zh-Hant", "zh-Hans"}[i]
}
