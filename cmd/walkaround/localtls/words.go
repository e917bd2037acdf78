package localtls

import "strings"

// words is the page in one language.
type words struct {
	Tag, Language       string // "zh-Hant", and what the language calls itself
	Title, Lead         string
	Scan                string
	Compare, CompareHow string
	Valid               string
	Install             string
	Devices             []device
	Open, OpenHow       string
	Button              string
}

// device is how one kind of device is made to trust the CA.
type device struct {
	Key, Name, File, Button string
	Steps                   []string
	Note                    string
}

// The files that the page offers.
const (
	profilePath     = "/ca.mobileconfig"
	certificatePath = "/ca.crt"
)

// languages in the order in which the page offers them. They are not changed.
var languages = []words{traditional, simplified, english}

// wordsFor takes the language that was chosen, or the first that the browser names and the page has; otherwise English.
func wordsFor(chosen, accepted string) words {
	for _, w := range languages {
		if w.Tag == chosen {
			return w
		}
	}
	for tag := range strings.SplitSeq(strings.ToLower(accepted), ",") {
		tag, _, _ = strings.Cut(strings.TrimSpace(tag), ";")
		primary, _, _ := strings.Cut(tag, "-")
		switch {
		case primary == "en":
			return english
		case primary != "zh":
		case strings.Contains(tag, "hant"), tag == "zh-tw", tag == "zh-hk", tag == "zh-mo":
			return traditional
		default:
			return simplified
		}
	}
	return english
}

var english = words{
	Tag: "en", Language: "English",
	Title: "Connect this device",
	Lead: "The camera and signing only work over a secure connection. Your store vouches for its own server: " +
		"install its certificate once on each device, then open Walkaround.",
	Scan:    "Scan this with a tablet to open this page there.",
	Compare: "Compare first",
	CompareHow: "While installing, your device can show this SHA-256 fingerprint. It must be the one that the server printed " +
		"when it started. If it differs, stop and ask the person who runs the server.",
	Valid:   "Valid until",
	Install: "Install the certificate",
	Devices: []device{
		{Key: "ipad", Name: "iPad and iPhone", File: profilePath, Button: "Download the profile", Steps: []string{
			"Open this page in Safari, tap the button and choose Allow.",
			"Settings → General → VPN & Device Management: tap the profile Walkaround, then Install.",
			"Settings → General → About → Certificate Trust Settings: switch the store CA on. Without this step Safari still refuses.",
		}, Note: "The profile is marked “Not Signed”. That is right: the fingerprint is what you compare."},
		{Key: "android", Name: "Android", File: certificatePath, Button: "Download the certificate", Steps: []string{
			"Tap the button and keep the file walkaround-ca.crt.",
			"Settings → Security and privacy → More security settings → Encryption & credentials → Install a certificate → CA certificate. (Names differ a little; searching the settings for “CA certificate” finds it.)",
			"Choose Install anyway, and then the file walkaround-ca.crt.",
		}, Note: "Use Chrome. Android may tell you later that the network could be monitored: it says so of every certificate that was installed by hand."},
		{Key: "windows", Name: "Windows", File: certificatePath, Button: "Download the certificate", Steps: []string{
			"Open the file walkaround-ca.crt and choose Install Certificate.",
			"Choose Local Machine (or Current User), then “Place all certificates in the following store”.",
			"Browse to Trusted Root Certification Authorities, then Finish, and start the browser again.",
		}},
		{Key: "macos", Name: "macOS", File: certificatePath, Button: "Download the certificate", Steps: []string{
			"Open the file walkaround-ca.crt and add it to the System keychain.",
			"In Keychain Access double-click “Walkaround store CA”, open Trust, and choose Always Trust.",
			"Close the window with your password, and start the browser again.",
		}},
	},
	Open:    "Open Walkaround",
	OpenHow: "If the page opens without a warning, this device is ready. Add it to the home screen.",
	Button:  "Open the secure address",
}

var traditional = words{
	Tag: "zh-Hant", Language: "繁體中文",
	Title:      "連接這部裝置",
	Lead:       "相機與簽名只能在安全連線下使用。伺服器由門市自行擔保：請在每部裝置上安裝一次門市憑證，然後開啟 Walkaround。",
	Scan:       "用平板掃描，即可在平板上開啟本頁。",
	Compare:    "請先核對",
	CompareHow: "安裝時，裝置可顯示以下 SHA-256 指紋，必須與伺服器啟動時印出的完全相同。若不相同，請停止安裝並詢問管理伺服器的人員。",
	Valid:      "有效期至",
	Install:    "安裝憑證",
	Devices: []device{
		{Key: "ipad", Name: "iPad 與 iPhone", File: profilePath, Button: "下載描述檔", Steps: []string{
			"用 Safari 開啟本頁，點按按鈕，然後選擇「允許」。",
			"「設定」→「一般」→「VPN 與裝置管理」：點按描述檔 Walkaround，然後點按「安裝」。",
			"「設定」→「一般」→「關於本機」→「憑證信任設定」：開啟門市憑證。缺少這一步，Safari 仍會拒絕連線。",
		}, Note: "描述檔會標示「未簽署」，這是正常的：請以指紋為準。"},
		{Key: "android", Name: "Android", File: certificatePath, Button: "下載憑證", Steps: []string{
			"點按按鈕，保留檔案 walkaround-ca.crt。",
			"「設定」→「安全性與隱私權」→「更多安全性設定」→「加密與憑證」→「安裝憑證」→「CA 憑證」。（各廠牌名稱略有不同，可在設定中搜尋「CA 憑證」。）",
			"選擇「仍要安裝」，再選取檔案 walkaround-ca.crt。",
		}, Note: "請使用 Chrome。Android 之後可能提示網路可能受到監控：凡手動安裝的憑證都會出現這項提示。"},
		{Key: "windows", Name: "Windows", File: certificatePath, Button: "下載憑證", Steps: []string{
			"開啟檔案 walkaround-ca.crt，選擇「安裝憑證」。",
			"選擇「本機電腦」（或「目前使用者」），再選「將所有憑證放入以下的存放區」。",
			"瀏覽並選取「受信任的根憑證授權單位」，完成後重新啟動瀏覽器。",
		}},
		{Key: "macos", Name: "macOS", File: certificatePath, Button: "下載憑證", Steps: []string{
			"開啟檔案 walkaround-ca.crt，加入「系統」鑰匙圈。",
			"在「鑰匙圈存取」中按兩下「Walkaround store CA」，展開「信任」，選擇「永遠信任」。",
			"關閉視窗並輸入密碼，然後重新啟動瀏覽器。",
		}},
	},
	Open:    "開啟 Walkaround",
	OpenHow: "如果頁面開啟時沒有警告，這部裝置就準備好了。請將它加入主畫面。",
	Button:  "開啟安全網址",
}

var simplified = words{
	Tag: "zh-Hans", Language: "简体中文",
	Title:      "连接这台设备",
	Lead:       "相机与签名只能在安全连接下使用。服务器由门店自行担保：请在每台设备上安装一次门店证书，然后打开 Walkaround。",
	Scan:       "用平板扫描，即可在平板上打开本页。",
	Compare:    "请先核对",
	CompareHow: "安装时，设备可显示以下 SHA-256 指纹，必须与服务器启动时打印的完全相同。如果不同，请停止安装并询问管理服务器的人员。",
	Valid:      "有效期至",
	Install:    "安装证书",
	Devices: []device{
		{Key: "ipad", Name: "iPad 与 iPhone", File: profilePath, Button: "下载描述文件", Steps: []string{
			"用 Safari 打开本页，轻点按钮，然后选择“允许”。",
			"“设置”→“通用”→“VPN 与设备管理”：轻点描述文件 Walkaround，然后轻点“安装”。",
			"“设置”→“通用”→“关于本机”→“证书信任设置”：打开门店证书。缺少这一步，Safari 仍会拒绝连接。",
		}, Note: "描述文件会标示“未签名”，这是正常的：请以指纹为准。"},
		{Key: "android", Name: "Android", File: certificatePath, Button: "下载证书", Steps: []string{
			"轻点按钮，保留文件 walkaround-ca.crt。",
			"“设置”→“安全和隐私”→“更多安全设置”→“加密与凭据”→“安装证书”→“CA 证书”。（各品牌名称略有不同，可在设置中搜索“CA 证书”。）",
			"选择“仍然安装”，再选取文件 walkaround-ca.crt。",
		}, Note: "请使用 Chrome。Android 之后可能提示网络可能会受到监控：凡手动安装的证书都会出现这项提示。"},
		{Key: "windows", Name: "Windows", File: certificatePath, Button: "下载证书", Steps: []string{
			"打开文件 walkaround-ca.crt，选择“安装证书”。",
			"选择“本地计算机”（或“当前用户”），再选“将所有的证书都放入下列存储”。",
			"浏览并选取“受信任的根证书颁发机构”，完成后重新启动浏览器。",
		}},
		{Key: "macos", Name: "macOS", File: certificatePath, Button: "下载证书", Steps: []string{
			"打开文件 walkaround-ca.crt，加入“系统”钥匙串。",
			"在“钥匙串访问”中双击“Walkaround store CA”，展开“信任”，选择“始终信任”。",
			"关闭窗口并输入密码，然后重新启动浏览器。",
		}},
	},
	Open:    "打开 Walkaround",
	OpenHow: "如果页面打开时没有警告，这台设备就准备好了。请将它添加到主屏幕。",
	Button:  "打开安全地址",
}
