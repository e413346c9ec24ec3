package ifeval

import (
	"strings"
	"unicode"
)

func responseLanguage(a arguments) func(string) bool {
	want := needText("language", a.Language)
	if !known(want) {
		panic(argumentError("language: " + want + " is not one that can be told"))
	}
	return func(s string) bool {
		got := Language(s)
		return got == "" || got == want
	}
}

func englishCapital(arguments) func(string) bool {
	return func(s string) bool { return isUpper(s) && english(s) }
}

func englishLowercase(arguments) func(string) bool {
	return func(s string) bool { return isLower(s) && english(s) }
}

func english(s string) bool {
	got := Language(s)
	return got == "" || got == "en"
}

// ofScript are the languages that alone use a script, among those that IFEval has.
var ofScript = []struct {
	table    *unicode.RangeTable
	language string
}{
	{unicode.Hiragana, "ja"}, {unicode.Katakana, "ja"}, {unicode.Hangul, "ko"}, {unicode.Thai, "th"}, {unicode.Bengali, "bn"}, {unicode.Tamil, "ta"}, {unicode.Telugu, "te"},
	{unicode.Hebrew, "he"}, {unicode.Kannada, "kn"}, {unicode.Gujarati, "gu"}, {unicode.Gurmukhi, "pa"}, {unicode.Malayalam, "ml"}, {unicode.Greek, "el"}, {unicode.Han, "zh"},
}

// shared are the scripts of several languages, each told by words that are frequent in it and by letters that it alone has among them.
var shared = []struct {
	table     *unicode.RangeTable
	languages []profile
}{
	{unicode.Latin, latin}, {unicode.Cyrillic, cyrillic}, {unicode.Arabic, arabic}, {unicode.Devanagari, devanagari},
}

type profile struct {
	language string
	words    map[string]bool
	letters  string
}

var latin = []profile{
	{"en", setOf(`the of and to in is that it was for on are as with his they at be this from have or by one had not but what all were when we there can an your which their
		said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than been its who now my you he i`), ""},
	{"es", setOf(`el la de que y en un ser se no haber por con su para como estar tener le lo todo pero más hacer o poder este ya otro ese si me al del los las una es son fue muy
		sin sobre también hay está entre cuando porque desde nos`), "ñ¿¡"},
	{"pt", setOf(`o a de que e do da em um para com não uma os no se na por mais as dos como mas foi ao ele das tem seu sua ou ser quando muito nos já está eu também só pelo
		pela até isso ela entre era depois sem mesmo aos são você é à`), "ãõ"},
	{"fr", setOf(`le la les de des du un une et à est en que qui dans pour pas sur au ce il elle ne se plus par avec tout faire son sa ses mais comme ou si leur y cette nous vous je
		sont aux été ont être d l qu c n s j`), "œèêç"},
	{"de", setOf(`der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie
		einem über einen so zum war haben nur oder aber vor zur bis mehr durch ich`), "ßäöü"},
	{"it", setOf(`il di che e la in un a per è una sono mi ho non lo ha le si ti i con cosa se io come da ci no questo qui hai sei del della dei delle gli nel nella al alla anche
		più ma dal questa essere stato molto l dell`), "ìò"},
	{"pl", setOf(`i w nie na się z do to że jest a o jak ale po co tak za od go już jego jej czy przez dla może być są tego tym ze oraz ich który która które tylko lub gdy ja ty
		bardzo także`), "łąęśźżćń"},
	{"vi", setOf(`và của là có được cho không trong một người với các những này đã để khi ra ở từ đến cũng về như nhưng tôi bạn chúng đó vào sẽ làm rất nhiều theo nếu hoặc
		trên tại`), "ơưđạảấầẩậắằặẹẻẽếềểệỉịọỏốồổộớờởợụủứừửữựỳỵỷỹ"},
	{"sw", setOf(`na ya wa kwa ni za katika la cha kuwa hii hiyo yake wake sana kama lakini au pia kila watu mtu hata si kuna ambayo ambao wao yetu yangu huu hizo vya baada ili
		mimi wewe sisi moja siku kutoka`), ""},
	{"fi", setOf(`ja on ei se että oli hän en mutta joka kun niin ovat myös tai kuin olla sen mitä nyt vain jos minä sinä he me ole voi olen tämä siitä sitä mukaan sekä hänen
		kanssa hyvin jotka mikä`), "äö"},
	{"nl", setOf(`de het een en van ik te dat die in is niet zijn op met voor er aan maar om hij ook als dan naar uit bij nog wordt door over was heeft ze wij je deze hebben kan
		worden meer`), ""},
	{"sv", setOf(`och i att det som en på är av för med den till inte om ett har de jag var men sig så han kan man från vi hade eller vid nu under mycket också efter`), "åäö"},
	{"da", setOf(`og i at det er en til på som af for med den de ikke der har om et han jeg var men sig fra kan vi også efter eller skal blev meget hvor når`), "æøå"},
	{"id", setOf(`yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena ada mereka oleh bisa atau seperti sudah kami kita anda adalah telah lebih
		sebagai`), ""},
	{"ro", setOf(`și de la în a cu nu o pe că este un pentru din mai care se sunt ce sau ca fi al am fost dar lui foarte după acest această`), "ăîșțâ"},
	{"tr", setOf(`ve bir bu da de için ile çok ne o gibi daha olarak var ama kadar olan sonra ben sen mi mı değil her en ki veya olduğu`), "ığş"},
	{"tl", setOf(`ang ng sa na mga ay at ko ka mo siya hindi ito para kung si nang may akin niya lang po natin kami ako`), ""},
	{"cs", setOf(`a se v na je že s z do o k i ve pro za by ale si po jako jsem to které který jsou byl nebo tak jeho při také`), "ěřůčš"},
}

var cyrillic = []profile{
	{"ru", setOf(`и в не на я что он с как это по но они к у же вы за бы то все мы от из его так о для при также был она было есть или`), "ыэё"},
	{"uk", setOf(`і в не на я що він з як це по але вони до у ж ви за би та все ми від із його так про для при також був вона було є або й`), "іїєґ"},
	{"bg", setOf(`и в не на аз че той с как това по но те към у ще вие за да се все ние от из го така о при също е са или със съм беше която който`), ""},
}

var arabic = []profile{
	{"ar", setOf(`في من على إلى أن هذا هذه التي الذي كان عن مع لا ما هو هي كل بعد قد و أو كما ذلك بين لم ثم إن حيث أنا أنت نحن`), "ةىإأ"},
	{"ur", setOf(`کے کی میں ہے اور کا سے کو پر نے ہیں یہ کہ اس ایک بھی نہیں تھا لیے جو وہ ہو کر تو گیا آپ ہم`), "ٹڈڑںےہھ"},
	{"fa", setOf(`و در به از که این را با است برای آن یک خود تا بر هم نیز می شود شده ما من او شما اما یا هر بود کرد دارد های`), ""},
}

var devanagari = []profile{
	{"hi", setOf(`के है में की और से का को पर ने हैं यह कि इस एक भी नहीं था लिए जो वह हो कर तो आप हम मैं अपने`), ""},
	{"mr", setOf(`आहे आणि या ते च्या मी हे तो ही की एक नाही होते करा आहेत त्या केले म्हणून साठी मध्ये पण आपण किंवा जे तर होती होता`), "ळ"},
	{"ne", setOf(`छ र को मा हो का लाई यो पनि भने गर्न एक हुन्छ छन् गरेको थियो ले बाट तथा लागि त्यो तपाईं म हामी हुन् गर्ने हुने`), ""},
}

func known(language string) bool {
	for _, s := range ofScript {
		if s.language == language {
			return true
		}
	}
	for _, s := range shared {
		for _, p := range s.languages {
			if p.language == language {
				return true
			}
		}
	}
	return false
}

// Language is the ISO 639-1 code of the language that most of a text is in, "" where it has no letters of a known script. The script decides, and among
// the languages of a script the number of frequent words, and of letters that no other has.
func Language(text string) string {
	const enough = 1 << 16 // bytes
	if len(text) > enough {
		text = text[:enough]
	}
	text = strings.ToLower(text)
	alone, among := make([]int, len(ofScript)), make([]int, len(shared))
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		for i, s := range shared {
			if unicode.Is(s.table, r) {
				among[i]++
			}
		}
		if r > 0x36f { // no letter of Latin's blocks
			for i, s := range ofScript {
				if unicode.Is(s.table, r) {
					alone[i]++
				}
			}
		}
	}
	kana := alone[0] + alone[1]
	if han := alone[len(alone)-1]; kana > 0 && kana*10 >= han { // Japanese may have more Han than Kana
		alone[0], alone[1], alone[len(alone)-1] = kana+han, 0, 0
	}
	best, language, profiles := 0, "", []profile(nil)
	for i, n := range alone {
		if n > best {
			best, language = n, ofScript[i].language
		}
	}
	for i, n := range among {
		if n > best {
			best, profiles = n, shared[i].languages
		}
	}
	if profiles == nil {
		return language
	}
	return closest(text, profiles)
}

// closest is the language whose profile a text has most of; the first of equal ones.
func closest(text string, profiles []profile) string {
	points := make([]float64, len(profiles))
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		for i, p := range profiles {
			if p.words[w] {
				points[i]++
			}
		}
	}
	for _, r := range text {
		if r < 0x80 {
			continue
		}
		for i, p := range profiles {
			if strings.ContainsRune(p.letters, r) {
				points[i] += 0.5
			}
		}
	}
	best := 0
	for i, n := range points {
		if n > points[best] {
			best = i
		}
	}
	return profiles[best].language
}
