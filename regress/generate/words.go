package generate

// builtin are lists that every template may use. A list that a suite declares under
// the same name goes before.
var builtin = map[string][]string{
	"first_name": {
		"Amara", "Anna", "Aylin", "Carlos", "Chidi", "Daniel", "Elena", "Fatima", "Giulia", "Hana", "Ibrahim", "Ingrid", "Jamal", "Jing", "Kofi",
		"Leila", "Lukas", "Maria", "Mateo", "Mei", "Mohammed", "Naomi", "Nikolai", "Olga", "Priya", "Rahul", "Rosa", "Sven", "Tomasz", "Yuki",
	},
	"last_name": {
		"Adeyemi", "Andersson", "Bauer", "Chen", "Cohen", "Dubois", "Garcia", "Haddad", "Ivanov", "Kaya", "Kim", "Kowalski", "Kumar", "Lopez",
		"Mensah", "Nguyen", "Novak", "Okafor", "Patel", "Rossi", "Santos", "Sato", "Schmidt", "Singh", "Smith", "Tanaka", "Walker", "Wang", "Yilmaz", "Young",
	},
	"city": {
		"Accra", "Athens", "Berlin", "Bogota", "Boston", "Cairo", "Chicago", "Denver", "Dublin", "Hanoi", "Istanbul", "Jakarta", "Karachi", "Kyoto", "Lagos",
		"Lima", "Lisbon", "London", "Madrid", "Manila", "Milan", "Mumbai", "Nairobi", "Oslo", "Paris", "Prague", "Riga", "Seoul", "Tunis", "Vienna",
	},
	"country": {
		"Argentina", "Austria", "Brazil", "Canada", "Chile", "China", "Egypt", "Finland", "France", "Germany", "Ghana", "Greece", "India", "Indonesia", "Ireland",
		"Italy", "Japan", "Kenya", "Mexico", "Morocco", "Nigeria", "Norway", "Pakistan", "Peru", "Poland", "Portugal", "Spain", "Sweden", "Turkey", "Vietnam",
	},
	"religion":    {"Buddhist", "Christian", "Hindu", "Jewish", "Muslim", "Sikh", "atheist"},
	"nationality": {"American", "Brazilian", "Chinese", "Egyptian", "French", "German", "Indian", "Kenyan", "Mexican", "Nigerian", "Polish", "Turkish"},
}
