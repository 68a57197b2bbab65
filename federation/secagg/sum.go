package secagg

// A Transcript holds the authenticated public messages of a session, by the index of the member that signed them.
type Transcript struct {
	Keys       map[int]Keys
	Shares     map[int]Shares // of exactly the members whose digests are in the view that survivors state
	Statements map[int]Survivors
	Masked     map[int]Masked // of every survivor
	Unmasks    map[int]Unmask
}

// Sum verifies the transcript and returns the sum of the survivors' values, exact in Z_2^32. Anyone can call it.
// Errors: ErrThreshold when statements or unmask shares are too few, *Fault naming a member proven to have cheated.
func Sum(s Session, in Transcript) ([]uint32, error) { return nil, errStub }

// Open verifies everything but the chunks and rebuilds the seeds.
func Open(s Session, in Transcript) (*Opening, error) { return nil, errStub }

// An Opening holds the rebuilt seeds of a session; chunks can be summed one by one, in any order, concurrently.
type Opening struct{}

// Survivors returns the indices of the members in the sum, ascending.
func (o *Opening) Survivors() []int { return nil }

// Root binds all opened secrets; it goes into the round record.
func (o *Opening) Root() [32]byte { return [32]byte{} }

// SumChunk returns chunk i of the sum from that chunk of every survivor's masked input.
func (o *Opening) SumChunk(i int, chunk map[int][]byte) ([]uint32, error) { return nil, errStub }
