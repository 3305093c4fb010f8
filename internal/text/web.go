package text

var webMessages = map[Key]Message{}
