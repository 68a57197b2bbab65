// Package founding makes and reads the documents a federation starts from.
//
// Who starts a federation collects the members' cards (package home), writes a Plan in TOML and calls Found. The result is
// the genesis with everything it names by CID: the model configuration, the initial weights, and one label convention for each
// head. As a folder:
//
//	genesis.cbor          the genesis; its CID is the federation's name
//	config.json           architecture and heads, with the recipe of local training under the key "training"
//	model.safetensors     initial weights: trunk and shared heads
//	heads/<key>.json      class A fields of the convention
//	canaries/<key>.xyz    canary set of the head, where the plan names one: public frames that members try new weights on
//	                      before they vote for them; extended XYZ in eV and Å, with energies and forces
//
// The founder gives the folder to every member, who checks the genesis CID with the founder by another channel. After that the founder is a member like all others.
//
// A plan:
//
//	name = "water"
//	seed = 1                      # of the fresh weights
//	rounds = 100                  # planned; the learning rate decays over rounds x steps local steps
//
//	[rules]                       # see Rules for all keys
//	min_cohort = 5
//	min_group = 5
//	steps = 100
//	fragments = 0                 # 8 sums an eighth of the trunk in each round while training goes on
//	[model]                       # as in the input of `fedlam train`, DeePMD-kit's keys
//	[loss]
//	[learning_rate]
//	[optimizer]
//	[training]                    # batch_size, gradient_max_norm, precision
//	[[head]]                      # for each shared head that is to have a canary set
//	convention = "pbe.json"       # which head; and how the labels are stored
//	canary = "public.xyz"         # any format that package load reads; paths are relative to the plan
package founding
