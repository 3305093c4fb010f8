package exchange

import (
	"slices"
	"testing"

	"antin/internal/text"
)

func TestPasswordsThatAreGuessedFirstAreRefused(t *testing.T) {
	t.Parallel()
	acc := Account{Login: "ltvanthu", Name: "Lê Thị Hạnh", Agency: "H98.21"}
	for _, p := range []string{
		"aaaaaaaaaaaa", "123456789012", "abcabcabcabc", "qwertyuiop123", "1q2w3e4r5t6y7u8i9o0p1q2w3e4r", "matkhau123456", "Mật khẩu 123456", "M@tKh@u2026!!",
		"P@ssw0rd1234", "password2026", "Vanthu@12345", "Hanoi@123456", "anhyeuem1234", "Anh yêu em 2026", "iloveyou12345", "admin@123456", "Quantri@2026!",
		"ltvanthu@2026", "lethihanh2026", "Hanh Hanh Hanh 1", "H98.21@2026!!", "letmein letmein", "zxcvbnm,./123", "10987654321098", "ubndtinh2026",
		"correct horse battery staple", "Dragon-2024-Dragon", "zzzzzyyyyyxxxxx",
	} {
		if err := checkPassword(acc, p); text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%q is taken: %v", p, err)
		}
	}
	for _, p := range []string{
		"một câu dài dễ nhớ", "con mèo nhà tôi thích cá kho", "mat-khau-thu-nghiem-1", "bốn ngọn đèn dầu bên cửa sổ", "tram-xe-cuoi-pho-vang-khach",
		"kx7v-m2qd-9hwt-0bzn", "three green umbrellas in a taxi", "monkey sunshine football diamond", "Trời xanh qua kẽ lá 7", "vh3-kp9-wq2-zt5",
	} {
		if err := checkPassword(acc, p); err != nil {
			t.Errorf("%q is refused: %v", p, err)
		}
	}
}

func TestPasswordsMadeHereAreNeverRefused(t *testing.T) {
	t.Parallel()
	acc := Account{Login: "ltvanthu", Name: "Lê Thị Hạnh", Agency: "H98.21"}
	for range 300 {
		if p := newPassword(); checkPassword(acc, p) != nil {
			t.Fatalf("%s is refused", p)
		}
	}
}

func TestGuessedWordsAreFoldedAndStandOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, w := range guessedWords {
		if seen[w] || bareText(Fold(w)) != w || len(w) < minOwn {
			t.Errorf("%q stands twice, is not folded, or is too short", w)
		}
		seen[w] = true
	}
	if len(seen) < 300 || !slices.Contains(guessedWords, "matkhau") {
		t.Errorf("%d words", len(seen))
	}
}
