package public

// ReadMessage is read, for fuzzing.
var ReadMessage = read
