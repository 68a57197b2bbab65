// Package manifest reads the TOML file that describes a federation to be run as real processes.
//
//	name = "molecules"            # letters, digits, - and _
//	rounds = 12                   # certified rounds to wait for
//	seed = 1                      # of fresh weights, splits and the order of frames
//	timeout = "15m"               # of the federation; the baselines come on top
//	baseline_slots = 2            # local-only trainings that may run at a time
//	threads = 1                   # of each process; 0 leaves it to the program
//	record_inputs = false         # let the nodes write down what they put into every secure sum, and check the sums with
//	                              # it: a hook for tests that breaks secrecy on this computer
//
//	[rules]                       # the founder's plan (package node/founding): the rules of the genesis,
//	steps = 50                    # local steps per member and round
//	min_cohort = 5                # members in a sum, at least; must be given
//	min_group = 2                 # members in the sum of a head, at least; must be given
//	[model]                       # and the model with its training, in DeePMD-kit's keys
//	[loss]
//	[learning_rate]
//	[optimizer]
//	[training]                    # batch_size, gradient_max_norm
//
//	[expect]                      # what the report is held to; 0 or absent is not checked
//	force_of_reference = 0.5      # validation RMSE of forces / root mean square of reference forces, each head
//	force_of_local = 1.1          # the same RMSE / that of local-only training, each head
//
//	[[member]]
//	name = "alpha"
//	data = "${FEDLAM_SHARED}/data/mol_wb97x_3bpa/train_300K.xyz:0:250"
//	convention = "conventions/3bpa.json"
//	validation_fraction = 0.1
//
//	[[perturbation]]
//	member = "alpha"
//	action = "restart"            # kill, pause or restart
//	step = "mask"                 # keys, shares, confirm, mask, survivors, unmask or sign
//	round = 3
//	restart_after = "3s"          # restart: until the new process; pause: until it goes on
//
// Paths are relative to the folder of the manifest. A ${NAME} in data is a variable of the environment; FEDLAM_SHARED
// is, where it is not set, the nearest folder "shared" beside the manifest's folder or one of those above it. A key that is not known is an error.
package manifest
