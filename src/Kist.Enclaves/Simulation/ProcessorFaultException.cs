namespace Kist.Enclaves.Simulation;

/// <summary>An instruction of the simulated processor that faults or reports an error, as the real one would.</summary>
/// <param name="instruction">EINIT, EREPORT, EGETKEY.</param>
/// <param name="reason">Why.</param>
public sealed class ProcessorFaultException(string instruction, string reason) : Exception($"{instruction}: {reason}")
{
    /// <summary>EINIT, EREPORT, EGETKEY.</summary>
    public string Instruction { get; } = instruction;
}
