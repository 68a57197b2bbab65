package secagg

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mistakes lists what went wrong in other systems (federation protocol, section 8), part by part: which tests carry out the attack and find it refused, or
// blamed on whoever tried, and which show, with the one check switched off in the test, that the attack works and what it gives away. A test that stands on both
// sides does both. Tests of other packages are written with the folder of their package.
var mistakes = []struct {
	number   int
	part     string
	attacks  string
	controls string
}{
	{1, "a mask seed folded to fewer bits", "TestFoldedSeedIsFound TestMaskUsesTheWholeKey TestEverySecretBitCounts",
		"TestFoldedSeedIsFound TestMaskUsesTheWholeKey TestEverySecretBitCounts"},
	{1, "a statistical generator", "TestStatisticalGeneratorIsPredicted TestMaskedInputsLookUniform TestTallyAddsStreams", "TestStatisticalGeneratorIsPredicted"},
	{2, "both shares of one peer are asked for", "TestBothSharesAreAskedFor TestUnmaskOpensOneShareEach TestDecodersRefuse", "TestBothSharesAreAskedFor TestBothSecretsWouldRevealOneMember"},
	{3, "unsigned keys, a relay that makes up all others", "federation.TestForgedSenders federation/ledger.TestEnvelopeCoversEveryByte", "federation.TestForgedSenders TestUnsignedKeysWouldRevealOneMember"},
	{3, "a relay in the middle of some", "TestKeysFromTheMiddle TestRelayThatAltersOwnMessages TestSwappedCiphertextFailsConfirmation TestConfirmsOfAnotherViewDoNotCount federation.TestEquivocation",
		"TestUnsignedKeysWouldRevealOneMember"},
	{4, "no survivor consistency, views that are split", "TestSplitView TestSplitViewReveals TestSecondSurvivorList TestOneDissenterDoesNotBlock", "TestSplitViewReveals"},
	{5, "a cohort of one honest member and Sybils", "federation.TestSybilRoster federation/ledger.TestCheckNext TestMinSurvivorsBindsAtEveryStep", "federation.TestSybilRoster TestMinSurvivorsBindsAtEveryStep"},
	{5, "a cohort that is summed apart and thin", "TestThinCohort federation.TestOwnersPolicyInCohorts", "TestThinCohort"},
	{5, "a sum of one", "TestSumOfOneIsTheMember TestSessionRefused", "TestSumOfOneIsTheMember"},
	{5, "tiny heads", "federation.TestTinyHeadTells federation.TestClosedGroups federation/ledger.TestChainRefuses", "federation.TestTinyHeadTells"},
	{5, "rare elements", "federation.TestRareElementTells federation.TestClosedGroups", "federation.TestRareElementTells"},
	{6, "different weights handed to different peers", "TestOtherWeightsShareNoSum TestSessionIDBindsEveryField federation.TestWrongFile federation.TestFork federation/ledger.TestVerifyDir", "TestOtherWeightsShareNoSum"},
	{7, "masks used again after a retry", "TestMaskReuseWouldRevealADifference TestStepsAreTakenOnceAndInOrder federation.TestMaskingAgain", "TestMaskReuseWouldRevealADifference"},
	{7, "after a restart", "federation.TestMaskingAgain TestRestartAfterMasking federation.TestKillAtEveryStep federation.TestAllSwitchedOff testnet/proc.TestKill", "federation.TestMaskingAgain testnet/sim.TestAuditSees"},
	{7, "by the clone of a virtual machine", "federation.TestMaskingAgain testnet/sim.TestNamed testnet/proc.TestStop", "federation.TestMaskingAgain"},
	{8, "the same updates summed twice in one session, survivors one apart", "TestSecondSurvivorList TestBothSharesAreAskedFor", "TestBothSharesAreAskedFor TestSumsThatDifferByOneRevealIt"},
	{8, "in two attempts at one round", "federation.TestRoundIsConsumed federation.TestKillAtEveryStep federation.TestDivided", "federation.TestRoundIsConsumed TestSumsThatDifferByOneRevealIt"},
	{8, "of a head, in two attempts at one round", "federation.TestHeadIsSpent federation.TestHeadLosesMember", "federation.TestHeadIsSpent"},
	{9, "overflow of the ring of 32 bits", "TestHeadroomIsProven TestHonestSumsAreAccepted TestWideHoldsTheLargestSum", "TestOverflowWouldBeSilent"},
	{9, "overflow of the ring of 16 bits", "TestNarrowHeadroom TestHonestNarrowSumsAreAccepted", "TestNarrowOverflowWouldBeSilent"},
	{9, "overflow on purpose, to hide a long update", "federation/sketch.TestVectorsThatWrap federation/sketch.TestCoalitionThatWraps", "federation/sketch.TestCoalitionThatWraps"},
	{9, "float masks", "TestFloatMasksLeak TestSumOfEveryone", "TestFloatMasksLeak"},
	{10, "sample counts beside the masks", "federation.TestNothingBesideTheMasks TestMessagesDoNotDependOnTheValues TestQuantizedMeanIsNearTheWeightedMean", "federation.TestNothingBesideTheMasks TestMessagesDoNotDependOnTheValues"},
	{10, "norms beside the masks", "federation.TestNothingBesideTheMasks TestMessagesDoNotDependOnTheValues", "federation.TestNothingBesideTheMasks"},
	{10, "loss curves beside the masks", "testnet/leak.TestNothingLeaves", "testnet/leak.TestNothingLeaves testnet/leak.TestFinds"},
	{11, "one key for channel and mask", "TestOneKeyForBothWouldOpenShares TestBadKeysAreNamed TestOpenedSeedOpensNoSealedShare TestDealingsAreSeparate", "TestOneKeyForBothWouldOpenShares"},
	{12, "quorum by truncation", "TestQuorum TestSplitViewReveals TestSessionRefused federation/ledger.TestQuorum", "TestSplitViewReveals"},
	{12, "quorum over unauthenticated indices", "TestOnlyDistinctRosterMembersCount federation.TestVotesCountOnce federation/ledger.TestCertificateVerify", "TestOnlyDistinctRosterMembersCount federation.TestVotesCountOnce"},
	{13, "a replay counted twice", "federation.TestVotesCountOnce TestOnlyDistinctRosterMembersCount federation.TestBadNetwork testnet/sim.TestDeviations", "federation.TestVotesCountOnce"},
	{13, "a replay from another session", "TestReplayFromAnotherSession TestRelabelledMessagesFail federation/sketch.TestReplayedReport", "TestMaskReuseWouldRevealADifference"},
	{14, "Shamir at zero", "TestShamirRefusesBadPoints", "TestShamirRefusesBadPoints TestPointsThatGiveSecretsAway"},
	{14, "duplicate points", "TestShamirRefusesBadPoints TestSessionRefused", "TestPointsThatGiveSecretsAway"},
	{15, "inputs checked after opening instead of before", "TestInputChosenAfterOpening TestSumChecksThePublicRecord TestSurviveRefuses", "TestInputChosenAfterOpening"},
	{15, "shares checked after opening instead of before", "TestUncheckedShareBlamesTheReceiver TestCheatingDealerIsNamed TestCheatingDealerIsProven", "TestUncheckedShareBlamesTheReceiver"},
	{15, "what is audited drawn before inputs are fixed", "federation/sketch.TestLastToCommitCannotChoose", "federation/sketch.TestLastToCommitCannotChoose"},
}

// testsIn lists the tests of a package.
func testsIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				defined[f.Name.Name] = true
			}
		}
	}
	return defined
}

// TestEveryKnownMistakeHasATest: each part has an attack and a control, and those are there.
func TestEveryKnownMistakeHasATest(t *testing.T) {
	packages := map[string]map[string]bool{}
	exists := func(ref string) bool {
		folder, name := "federation/secagg", ref
		if at := strings.LastIndexByte(ref, '.'); at >= 0 {
			folder, name = ref[:at], ref[at+1:]
		}
		if packages[folder] == nil {
			packages[folder] = testsIn(t, folder)
		}
		return strings.HasPrefix(name, "Test") && packages[folder][name]
	}
	numbers := []int{0}
	for _, m := range mistakes {
		if last := numbers[len(numbers)-1]; m.number != last && m.number != last+1 {
			t.Errorf("mistake %d (%s) stands after %d", m.number, m.part, last)
		}
		numbers = append(numbers, m.number)
		attacks, controls := strings.Fields(m.attacks), strings.Fields(m.controls)
		if len(attacks) == 0 || len(controls) == 0 {
			t.Errorf("mistake %d (%s) has %d attacks and %d controls", m.number, m.part, len(attacks), len(controls))
		}
		for _, ref := range slices.Concat(attacks, controls) {
			if !exists(ref) {
				t.Errorf("mistake %d (%s): there is no test %s", m.number, m.part, ref)
			}
		}
	}
	if last := numbers[len(numbers)-1]; last != 15 {
		t.Errorf("%d mistakes, the protocol lists 15", last)
	}
	if exists("TestThatIsNotThere") || exists("federation.TestThatIsNotThere") || exists("federation/nowhere.TestSplitView") {
		t.Error("a test that does not exist is found")
	}
}
