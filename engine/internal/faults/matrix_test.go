package faults

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// row is one fault or attack: what is done, and the tests that do it. Where there is none, why says what is missing.
type row struct {
	what  string
	tests []string // file#Test, from the root of the module
	why   string
}

const (
	quic = "quicnet/"
	eng  = "engine/"
	here = "engine/internal/faults/"
	via  = "engine/internal/launch/via/"
)

// attacks is what somebody hostile may try.
var attacks = map[string]row{
	"1-6":  {"certificates that are missing, foreign, expired, of another protocol, signed by a leaf, with two names", []string{quic + "attack_test.go#TestStrangersNeverGetAConnection"}, ""},
	"7-8":  {"a worker as a server, a false controller", []string{quic + "attack_test.go#TestAWorkerCannotPassForTheController"}, ""},
	"9-12": {"tickets used again, for another rank, in another session, too late", []string{quic + "ticket_test.go#TestTicketsWorkOnceForOneProcess"}, ""},
	"13":   {"both protocols without a certificate", []string{quic + "attack_test.go#TestStrangersNeverGetAConnection"}, ""},
	"14":   {"frames in another's name", []string{quic + "attack_test.go#TestABadFrameClosesItsLinkAndNothingElse", eng + "hostile_test.go#TestAWorkerSpeaksForItselfOnly", eng + "agent_test.go#TestAnAgentSpeaksForItsOwnWorkersOnly", eng + "agent_test.go#TestAnAgentTakesFromItsOwnWorkersWhatGoesByIt"}, ""},
	"15":   {"a rank gives orders", []string{eng + "hostile_test.go#TestNobodyButTheControllerIsObeyed", eng + "hostile_test.go#TestAProcessStopsItsOwnActorsOnly"}, ""},
	"16":   {"an old epoch comes back", []string{quic + "attack_test.go#TestAnOldIncarnationIsToldToEnd", quic + "semantics_test.go#TestAnExpectedEpochIsReachedWhenSomebodySends"}, ""},
	"17":   {"frames longer than the limit", []string{quic + "attack_test.go#TestABadFrameClosesItsLinkAndNothingElse", quic + "semantics_test.go#TestWhatIsTooLargeIsRefusedWithTheSizes"}, ""},
	"18":   {"hostile CBOR", []string{quic + "envelope_test.go#TestDecodersRefuseHostileBodies", quic + "attack_test.go#TestABadFrameClosesItsLinkAndNothingElse"}, ""},
	"19":   {"a small body that is large once it is decoded", []string{here + "hostile_test.go#TestASmallArgumentDoesNotGrow"}, ""},
	"20":   {"a frame that dribbles", []string{quic + "limits_test.go#TestWhatIsBegunMustEnd", eng + "control/slots_test.go#TestHalfAFrameDoesNotHoldAConnection"}, ""},
	"21":   {"streams that are opened and not used", []string{quic + "limits_test.go#TestWhatIsBegunMustEnd", eng + "control/slots_test.go#TestConnectionsThatAskNothingMakeRoom"}, ""},
	"22":   {"who never reads", []string{quic + "limits_test.go#TestAPeerCannotMakeALaneHoldMoreThanItsWindow", here + "bounds_test.go#TestAMailboxThatFillsHoldsItsSenderAndNobodyElse", eng + "control/watch_test.go#TestAClientThatNeverReadsItsRepliesIsClosedAndTheEngineGoesOn"}, "a rank that does not read holds its senders until their contexts end, however long: calls obey nothing else, and a rank at a breakpoint reads nothing for hours"},
	"23":   {"junk datagrams", []string{quic + "limits_test.go#TestJunkCostsLittleAndAnHonestWorkerJoinsAfterIt", quic + "beside_test.go#TestOnlyNewDatagramsOfThePeerCount"}, ""},
	"24":   {"a thousand half-open handshakes", []string{quic + "matrix_test.go#TestHalfOpenHandshakesKeepNobodyOut"}, ""},
	"25":   {"0-RTT", []string{quic + "limits_test.go#TestThereIsNoZeroRTT"}, ""},
	"26":   {"packets damaged, doubled, out of order", []string{quic + "matrix_test.go#TestABadPathCostsTimeAndNothingElse", quic + "faults_test.go#TestNothingIsLostRepeatedOrReorderedOnABadNetwork"}, ""},
	"27":   {"another user at the session's socket", []string{eng + "control/session_test.go#TestTheOtherEndsUserIsChecked"}, ""},
	"28":   {"a run folder that others could change", []string{eng + "control/session_test.go#TestAnUnsafeRunFolderIsRefusedInWords"}, ""},
	"29":   {"output that a terminal acts on", []string{quic + "clean/clean_test.go#TestLineLeavesNothingThatATerminalActsOn", quic + "clean/clean_test.go#FuzzRules"}, ""},
	"30":   {"a flood of output", []string{here + "bounds_test.go#TestAFloodOfOutputCostsNobodyElse"}, ""},
	"31":   {"names that a shell or a path would act on", []string{eng + "control/names_test.go#TestANameThatTheLanguageCannotSayIsRefusedWithOneThatItCan", via + "options_test.go#TestWhatIsWrongIsSaidBeforeAnythingIsStarted"}, ""},
	"32":   {"secrets in arguments and environments", []string{here + "processes_test.go#TestNoSecretIsInArgumentsOrEnvironment"}, ""},
	"33":   {"expressions that do not end", []string{eng + "eval/eval_test.go#TestAnExpressionCannotRunAway_INV_BOUND", eng + "probe/cond/bounds_test.go#TestTheWorstExpressionsEnd_INV_CALM"}, ""},
	"34":   {"secrets in what is printed or kept", []string{quic + "limits_test.go#TestTicketsPrintWithoutTheirSecret"}, "a core dump is the memory as it is; Go makes none unless GOTRACEBACK=crash asks for it"},
	"35":   {"another version of the protocol or the engine", []string{quic + "limits_test.go#TestProgramsWithoutACommonVersionSayWhich", eng + "control/server_test.go#TestVersionsWithoutOverlapAreRefusedWithBothRanges"}, ""},
}

// matrix is what may happen to processes, hosts and networks.
var matrix = map[string]row{
	"1":     {"an idle worker is killed", []string{here + "processes_test.go#TestAnIdleWorkersDeathIsToldAtOnce"}, ""},
	"2":     {"a worker is killed during a call", []string{eng + "life_test.go#TestAKilledWorkerIsOneHonestErrorAndTheOthersAnswer", here + "swarm_test.go#TestEveryCallOfASwarmOfProcessesHasOneOutcome"}, ""},
	"3":     {"a worker exits, panics, ends its goroutine", []string{here + "processes_test.go#TestAnExitIsToldWithItsLastWords", eng + "rude_test.go#TestAGoroutineThatEndsWithoutAReturnIsAnOutcome", eng + "flow_test.go#TestAPanicLeavesNoOtherCallWithoutAnOutcome"}, ""},
	"4-5":   {"a worker or an agent of another host is killed", []string{eng + "internal/hosts/ssh_test.go#TestAWorkerThatIsKilledElsewhereIsToldAtOnce", eng + "internal/hosts/ssh_test.go#TestAnAgentThatIsKilledTakesItsHostAlong", eng + "internal/hosts/tree_test.go#TestAWorkerThatDiesBehindAnAgentCostsItsOwnValue", eng + "internal/hosts/tree_test.go#TestAnAgentThatDiesCostsTheRanksOfItsHost"}, ""},
	"6":     {"a link is cut for good", []string{quic + "faults_test.go#TestSilenceIsSeenInTime", quic + "netns_linux_test.go#TestARealPathMayFail", eng + "internal/hosts/net_test.go#TestAHostThatIsCutOffIsLostAndEndsItself", eng + "internal/hosts/kube_test.go#TestANodeOfKubernetesIsCutOff"}, ""},
	"7-8":   {"a link is cut for 2 s and 6 s", []string{quic + "faults_test.go#TestACutThatHealsBeforeLostLosesNothing", quic + "netns_linux_test.go#TestARealPathMayFail", eng + "internal/hosts/net_test.go#TestAHostThatIsCutOffForAMomentLosesNothing", eng + "internal/hosts/kube_test.go#TestANodeOfKubernetesIsCutOffForAMoment"}, ""},
	"9":     {"a link is cut for longer than Lost", []string{quic + "faults_test.go#TestAPeerThatWasLostIsRefusedWhenItComesBack", quic + "faults_test.go#TestTheLeaseEndsBeforeTheControllerGivesUp", quic + "again_test.go#TestTwoWorkersThatLoseEachOtherFindEachOtherAgain", quic + "netns_linux_test.go#TestARealPathMayFail"}, ""},
	"10":    {"one way is cut", []string{quic + "faults_test.go#TestACutThatHealsBeforeLostLosesNothing", quic + "faults_test.go#TestSilenceIsSeenInTime", quic + "netns_linux_test.go#TestARealPathMayFail"}, ""},
	"11":    {"a link that flaps", []string{quic + "matrix_test.go#TestAFlappingLinkLosesNothing", quic + "tun_linux_test.go#TestABadRealPath"}, ""},
	"12":    {"hosts cut one by one, healed in another order", []string{quic + "matrix_test.go#TestHostsComeBackInAnyOrder"}, ""},
	"13":    {"loss", []string{quic + "beside_test.go#TestDatagramsThatAreLostAreMadeUpForByTheStream", quic + "faults_test.go#TestNothingIsLostRepeatedOrReorderedOnABadNetwork", quic + "matrix_test.go#TestABadPathCostsTimeAndNothingElse"}, ""},
	"14-15": {"packets late, out of order, doubled, damaged", []string{quic + "matrix_test.go#TestABadPathCostsTimeAndNothingElse", quic + "tun_linux_test.go#TestABadRealPath"}, ""},
	"16":    {"a slow path", []string{quic + "matrix_test.go#TestASlowPathIsSlowNotLost", quic + "netns_linux_test.go#TestARealPathMayFail"}, ""},
	"17":    {"the smallest MTU", []string{quic + "matrix_test.go#TestTheLargestBodyFitsTheSmallestPath"}, ""},
	"18":    {"an address that changes", []string{quic + "matrix_test.go#TestAnAddressMayChange", quic + "beside_test.go#TestAnAddressMayChangeAtRest", quic + "tun_linux_test.go#TestABadRealPath"}, ""},
	"19":    {"an interface that goes down at the sender", []string{quic + "semantics_test.go#TestAFailedSendIsALostPacket", quic + "netns_linux_test.go#TestARealPathMayFail"}, ""},
	"20":    {"a worker is stopped by a signal", []string{here + "pause_test.go#TestAWorkerThatIsPausedLosesNothing", here + "pause_test.go#TestAPausedWorkerHasOneEnd"}, ""},
	"21":    {"an agent of another host is stopped", []string{eng + "internal/hosts/net_test.go#TestAnAgentThatStandsStillIsLost"}, ""},
	"22":    {"the controller stands still", []string{here + "links_test.go#TestWorkersThatLostEachOtherFindEachOtherAgain", quic + "semantics_test.go#TestOwnDelayIsNotTakenForAPeersSilence"}, ""},
	"23":    {"the controller is killed", []string{here + "orphans_test.go#TestDaemonsEndWithTheController", eng + "internal/kin/kin_test.go#TestAKilledControllerTakesAllAlong", "cmd/monarch-tui/program_test.go#TestNothingOutlivesAKilledTool", eng + "internal/hosts/end_test.go#TestNothingIsLeftOfAControllerThatIsKilled", eng + "internal/hosts/end_test.go#TestNothingIsLeftWhenNobodyCanSayIt"}, ""},
	"24":    {"the controller gets a signal", []string{eng + "program_test.go#TestASignalEndsAnyStateInTime"}, ""},
	"25":    {"a daemon of a worker", []string{here + "orphans_test.go#TestADaemonOfAWorkerEndsWithIt"}, ""},
	"26":    {"a worker eats too much", []string{here + "oom_test.go#TestAWorkerThatEatsTooMuchIsToldSo"}, ""},
	"27":    {"a worker may open nothing", []string{here + "processes_test.go#TestAWorkerThatMayOpenNothingLives"}, ""},
	"28":    {"the controller may open nothing", []string{here + "processes_test.go#TestAControllerWithoutDescriptorsKeepsWhatItHas"}, ""},
	"29":    {"a full disk", []string{here + "processes_test.go#TestAFullDiskStopsNoCall", here + "disk_test.go#TestAFullDiskIsTold"}, ""},
	"30":    {"a worker without processor time", []string{here + "processes_test.go#TestAStarvedWorkerIsSlowNotLost"}, ""},
	"31":    {"a handler that never returns", []string{here + "processes_test.go#TestAHandlerThatSpinsKeepsItsLink", eng + "call_test.go#TestADeadlineNamesTheRanksThatDidNotAnswer"}, ""},
	"32":    {"a rank that takes messages slowly", []string{here + "bounds_test.go#TestAMailboxThatFillsHoldsItsSenderAndNobodyElse", quic + "semantics_test.go#TestAFullQueueHoldsTheSenderUntilItsContextEnds"}, "as attack 22"},
	"33":    {"thousands of calls, then a kill", []string{eng + "flow_test.go#TestEveryCallToAKilledWorkerHasOneOutcome"}, ""},
	"34":    {"each packet of a join is lost once", []string{quic + "faults_test.go#TestJoiningSurvivesTheLossOfAnyPacket", quic + "faults_test.go#TestJoiningSurvivesACutAtAnyPacket"}, ""},
	"35":    {"a join too late, twice, of another build", []string{quic + "ticket_test.go#TestTicketsWorkOnceForOneProcess", eng + "start_end_test.go#TestAWorkerThatCannotJoinGivesItsOwnReason"}, ""},
	"36":    {"one rank of a mesh does not start", []string{eng + "owners_test.go#TestAllowPartialKeepsTheRanksThatStarted"}, ""},
	"37":    {"what Slurm does to a job", []string{via + "slurm_real_test.go#TestSlurmIsCancelledFromOutside", via + "slurm_real_test.go#TestSlurmTellsThatANodeFails", via + "slurm_real_test.go#TestSlurmTellsTheQueueAndIsCancelledInIt", "engine/internal/hosts/tutorial_test.go#TestANodeOfSlurmIsCutOff", "engine/internal/hosts/tutorial_test.go#TestAQueuedJobOfSlurmIsStopped", "engine/internal/hosts/tutorial_test.go#TestNothingOnSlurmIsLeftOfAControllerThatIsKilled"}, ""},
	"38":    {"the launcher's client is killed", []string{via + "ssh_test.go#TestAnAgentHearsThatItsClientIsGone", via + "connections_test.go#TestAConnectionThatBreaksIsToldAndMadeAnew", via + "slurm_real_test.go#TestSlurmKeepsNothingOfAKilledClient"}, ""},
	"39":    {"ssh does not let in, or prints", []string{via + "ssh_test.go#TestSSHFailsInWordsThatHelp", via + "ssh_test.go#TestSSHStartsThroughAnyLogin", via + "ssh_test.go#TestSSHRefusesAnotherMachineBeforeItCopies"}, ""},
	"40":    {"what Kubernetes does to a pod, and to one whose node is lost", []string{"engine/internal/hosts/kube_test.go#TestANodeOfKubernetesIsKilled", "engine/internal/hosts/kube_test.go#TestAQueuedJobOfKubernetesIsStopped", "engine/internal/hosts/kube_test.go#TestNothingOnKubernetesIsLeftOfAControllerThatIsKilled", via + "kube_real_test.go#TestKubernetesIsCancelledFromOutside", via + "kube_test.go#TestKubernetesIsToldFromPendingToItsEnd", via + "kube_real_test.go#TestKubernetesRefusesInTheAPIServersWords"}, ""},
	"41":    {"a controller comes back at the same port", []string{quic + "matrix_test.go#TestAControllerMayComeBackAtItsPort"}, ""},
	"42":    {"a rank that fails again and again", []string{eng + "restart_test.go#TestTheLimitOfAPolicyIsAFailureToldOnce", eng + "restart_test.go#TestARestoreThatRefusesReachesTheLimit"}, ""},
	"43":    {"a gang loses a rank", []string{eng + "restart_test.go#TestAGangBeginsAnewTogether"}, ""},
	"44":    {"a certificate is renewed", []string{quic + "semantics_test.go#TestALeafIsRenewedBeforeItExpires"}, ""},
	"45":    {"clocks that are apart", []string{quic + "matrix_test.go#TestClocksMayBeApart"}, ""},
	"46":    {"the terminal goes away", []string{"cmd/monarch-tui/explore_test.go#TestTheTerminalIsRestoredAndWorkersEndWhateverHappens"}, ""},
	"47":    {"nobody does anything", []string{quic + "matrix_test.go#TestALinkThatNobodyUsesStays", quic + "beside_test.go#TestALinkAtRestCostsOneDatagramEachWay"}, ""},
}

func TestEveryRowHasItsTestOrAReason(t *testing.T) {
	for list, rows := range map[string]map[string]row{"attack": attacks, "fault": matrix} {
		for n, r := range rows {
			if len(r.tests) == 0 && r.why == "" {
				t.Errorf("%s %s, %s: no test, and no reason for that", list, n, r.what)
			}
			for _, name := range r.tests {
				file, test, _ := strings.Cut(name, "#")
				b, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(file)))
				if err != nil || !regexp.MustCompile(`(?m)^func `+test+`\(`).Match(b) {
					t.Errorf("%s %s, %s: there is no %s (%v)", list, n, r.what, name, err)
				}
			}
		}
	}
}
