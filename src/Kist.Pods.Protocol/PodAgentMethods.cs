namespace Kist.Pods.Protocol;

/// <summary>The names of agent.proto's service and methods on the wire; the same names are the policy's rules plus "Request".</summary>
public static class PodAgentMethods
{
#pragma warning disable CS1591 // agent.proto documents the methods.
    public const string Service = "kist.agent.v1.PodAgent";
    public const string GetGuestInfo = nameof(GetGuestInfo);
    public const string CreateSandbox = nameof(CreateSandbox);
    public const string UpdateInterface = nameof(UpdateInterface);
    public const string UpdateRoutes = nameof(UpdateRoutes);
    public const string CreateContainer = nameof(CreateContainer);
    public const string StartContainer = nameof(StartContainer);
    public const string WaitProcess = nameof(WaitProcess);
    public const string ReadOutput = nameof(ReadOutput);
    public const string WriteStdin = nameof(WriteStdin);
    public const string CloseStdin = nameof(CloseStdin);
    public const string SignalProcess = nameof(SignalProcess);
    public const string ResizeTty = nameof(ResizeTty);
    public const string StatsContainer = nameof(StatsContainer);
    public const string ExecProcess = nameof(ExecProcess);
    public const string RemoveProcess = nameof(RemoveProcess);
    public const string PauseContainer = nameof(PauseContainer);
    public const string ResumeContainer = nameof(ResumeContainer);
    public const string UpdateContainer = nameof(UpdateContainer);
    public const string GetOutOfMemoryEvent = nameof(GetOutOfMemoryEvent);
    public const string RemoveContainer = nameof(RemoveContainer);
    public const string OpenConnection = nameof(OpenConnection);
    public const string ReadConnection = nameof(ReadConnection);
    public const string WriteConnection = nameof(WriteConnection);
    public const string CloseConnection = nameof(CloseConnection);
    public const string GetProgress = nameof(GetProgress);
    public const string GetAttestation = nameof(GetAttestation);
    public const string GetLearned = nameof(GetLearned);
    public const string Shutdown = nameof(Shutdown);
#pragma warning restore CS1591
}
