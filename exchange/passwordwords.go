package exchange

import "strings"

// guessedWords are what people, and so whoever guesses, put into passwords first:
// words of the desk, of the keyboard, of affection, places, months, names and teams,
// in Vietnamese without diacritics and in English. Sequences, repetitions, years and a
// person's own names need no entry: they are found by rule.
var guessedWords = strings.Fields(`
matkhau matma khoamat dangnhap taikhoan nguoidung quantri quantrivien hethong maychu mayvanphong vanphong vanthu lanhdao chutich phochutich giamdoc
phogiamdoc truongphong phophong nhanvien canbo congchuc vienchuc ketoan thuky botruong chanhvanphong uyban ubnd ubndtinh ubndhuyen ubndxa hoidong hdnd
sonoivu sotuphap sotaichinh soyte soxaydung sogiaoduc sotttt motcua motcuadientu hanhchinh hanhchinhcong dichvucong vanban vanbanden vanbandi congvan
quyetdinh thongbao tokhai hoso chuky chukyso kyso condau dongdau conganh coquan donvi phongban tinhuy huyenuy danguy chibo congdoan doanvien daihoi
vietnam vietnamcongsan hanoi saigon hochiminh tphcm thanhpho danang haiphong cantho nhatrang dalat hue hoian vinh nghean hatinh thanhhoa namdinh
ninhbinh thaibinh haiduong hungyen bacninh bacgiang langson caobang laocai yenbai sonla dienbien hoabinh quangninh quangbinh quangtri quangnam
quangngai binhdinh phuyen khanhhoa ninhthuan binhthuan kontum gialai daklak daknong lamdong dongnai binhduong tayninh longan tiengiang bentre travinh
vinhlong dongthap angiang kiengiang haugiang soctrang baclieu camau phutho vinhphuc tuyenquang hagiang backan thainguyen
nguyen tran hoang huynh phan dang bui ngo duong nguyenvan tranvan nguyenthi tranthi levan lethi phamvan phamthi minhanh thuylinh quanghuy tuananh
ngocanh phuonganh hoanganh ducanh minhquan thanhtung khanhlinh
yeuem yeuanh anhyeuem emyeuanh toiyeuem toiyeuban yeugiadinh giadinh conyeu meyeu boyeu vochong hanhphuc mayman phattai taiphat thanhcong binhan
xinchao chaoban camon tamtam banbe tinhyeu trondoi maimai muonnam changtrai cogai bupbe meocon cuncon hoahong hoasen hoamai hoadao
thang thangmot thanghai thangba thangtu thangnam thangsau thangbay thangtam thangchin thangmuoi thuhai thuba thutu thunam thusau thubay chunhat
muaxuan muahe muathu muadong tetnguyendan trungthu quockhanh
password passwort passw0rd parola contrasena motdepasse secret geheim access allow login logon signin user username guest default admin administrator
root toor superuser sysadmin system server service manager master operator oracle cisco linux ubuntu windows office microsoft google facebook zalo viettel
vinaphone mobifone vnpt fpt youtube gmail yahoo apple samsung iphone android computer internet network database letmein openup opensesame welcome hello
helloworld changeme changethis changeit newpassword mypassword temp temporary test tester testing demo sample example trial nothing whatever blank
iloveyou loveyou lovely love forever always sunshine moonlight starlight princess prince queen king angel baby honey sweet sweetheart darling flower
butterfly rainbow summer winter spring autumn january february march april june july august september october november december monday tuesday wednesday
thursday friday saturday sunday morning evening holiday birthday christmas
football soccer baseball basketball hockey tennis golf arsenal chelsea liverpool manchester united barcelona realmadrid juventus milan ronaldo messi
dragon monkey tiger lion eagle falcon wolf shark horse donkey chicken kitten puppy panda dolphin elephant
superman batman spiderman ironman avengers starwars pokemon pikachu naruto doremon mario zelda matrix ninja samurai warrior knight hunter killer shadow
phoenix thunder lightning storm freedom trustno trustnoone whoami security secure safety private hidden unknown keyboard mouse monitor laptop
michael daniel jennifer jordan thomas robert charlie andrew joshua matthew jessica ashley michelle nicole anthony william george
qwerty qwertz azerty asdfgh zxcvbn qazwsx qweasd zaqxsw poiuyt lkjhgf mnbvcx abcxyz alphabet correcthorsebatterystaple
banana orange cookie cheese coffee chocolate pepper ginger vanilla diamond silver golden money dollar business company factory school teacher student
doctor police soldier
`)
