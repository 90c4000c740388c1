namespace Kist.Attestation;

/// <summary>
/// The last line of defence for every TEE alike: whatever its verifier says, simulated or debuggable evidence is refused
/// unless it was explicitly allowed, and the verdict says so in either case.
/// </summary>
internal static class SimulationCheck
{
    public static void Run(VerificationOptions options, VerdictBuilder verdict)
    {
        if (verdict.IsSimulated)
        {
            verdict.Check(
                $"{verdict.Tee}.simulated",
                options.AllowSimulated,
                options.AllowSimulated
                    ? "SIMULATED evidence, which protects nothing, was explicitly allowed"
                    : "the evidence is SIMULATED: it ends at a simulation's root and protects nothing",
                "evidence of real hardware",
                "simulated",
                "run on TEE hardware, or allow simulated evidence explicitly in a test set-up");
        }

        if (verdict.IsDebug)
        {
            verdict.Check(
                $"{verdict.Tee}.debug",
                options.AllowDebug,
                options.AllowDebug
                    ? "a DEBUGGABLE TEE, whose memory the machine's owner may read, was explicitly allowed"
                    : "the TEE is DEBUGGABLE: the machine's owner may read and change its memory",
                "debug disabled",
                "debug enabled",
                "build and launch the workload for production, without the debug attribute");
        }
    }
}
