package secagg

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// mistakes lists what went wrong in other systems (federation protocol, section 8), and which tests here show that it does
// not happen, most of them with a control that shows that it would be seen. Above says what this package leaves to its
// caller.
var mistakes = []struct {
	number  int
	mistake string
	tests   []string
	above   string
}{
	{1, "mask seed folded to 32 bits, or a statistical generator", []string{"TestMaskUsesTheWholeKey", "TestTallyAddsStreams", "TestMaskedInputsLookUniform"}, ""},
	{2, "both shares of one peer are asked for", []string{"TestUnmaskOpensOneShareEach", "TestBothSecretsWouldRevealOneMember", "TestDecodersRefuse"}, ""},
	{3, "unsigned keys, a relay in the middle", []string{"TestKeysFromTheMiddle", "TestRelayThatAltersOwnMessages", "TestSwappedCiphertextFailsConfirmation"},
		"bodies are signed in envelopes"},
	{4, "no survivor consistency", []string{"TestSplitView", "TestSecondSurvivorList", "TestConfirmsOfAnotherViewDoNotCount", "TestOneDissenterDoesNotBlock"}, ""},
	{5, "a cohort of one, or below the member's own minimum", []string{"TestSessionRefused", "TestMinSurvivorsBindsAtEveryStep", "TestThinCohort"},
		"the minimum of contributors to a group, and who may be a member"},
	{6, "different weights handed to different peers", []string{"TestSessionIDBindsEveryField", "TestReplayFromAnotherSession"}, "the certificate of the weights is checked before a session starts"},
	{7, "masks used again after a retry, restart or clone", []string{"TestStepsAreTakenOnceAndInOrder", "TestRestartAfterMasking", "TestSameRootSameBytes", "TestMaskReuseWouldRevealADifference"},
		"the durable log that survives a restart"},
	{8, "one update summed twice, survivors one apart", []string{"TestSecondSurvivorList", "TestSumsThatDifferByOneRevealIt", "TestUnmaskOpensOneShareEach"}, "a round is consumed once shares were opened"},
	{9, "ring overflow, float masks", []string{"TestHeadroomIsProven", "TestOverflowWouldBeSilent", "TestHonestSumsAreAccepted", "TestNarrowHeadroom", "TestNarrowOverflowWouldBeSilent", "TestHonestNarrowSumsAreAccepted",
		"TestWideHoldsTheLargestSum"}, ""},
	{10, "counts or norms in the clear beside the masks", []string{"TestMessagesDoNotDependOnTheValues", "TestQuantizedMeanIsNearTheWeightedMean"}, "other messages of the round"},
	{11, "one key for channel and mask", []string{"TestBadKeysAreNamed", "TestOpenedSeedOpensNoSealedShare", "TestDealingsAreSeparate"}, ""},
	{12, "quorum by truncation, or over unauthenticated indices", []string{"TestQuorum", "TestSessionRefused", "TestOnlyDistinctRosterMembersCount"}, ""},
	{13, "a replay counted twice", []string{"TestOnlyDistinctRosterMembersCount", "TestReplayFromAnotherSession", "TestRelabelledMessagesFail"}, "one message per sender and type"},
	{14, "Shamir at zero or duplicate points", []string{"TestShamirRefusesBadPoints", "TestSessionRefused"}, ""},
	{15, "commitments checked after opening instead of before", []string{"TestCheatingDealerIsNamed", "TestCheatingDealerIsProven", "TestSumChecksThePublicRecord", "TestSurviveRefuses"}, ""},
}

func TestEveryKnownMistakeHasATest(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				defined[f.Name.Name] = true
			}
		}
	}
	for k, m := range mistakes {
		if m.number != k+1 || len(m.tests) == 0 {
			t.Errorf("mistake %d (%s) has %d tests and stands at position %d", m.number, m.mistake, len(m.tests), k+1)
		}
		for _, test := range m.tests {
			if !defined[test] {
				t.Errorf("mistake %d (%s): there is no test %s", m.number, m.mistake, test)
			}
		}
	}
	if len(mistakes) != 15 {
		t.Errorf("%d mistakes, the protocol lists 15", len(mistakes))
	}
}
