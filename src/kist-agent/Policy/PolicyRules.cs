namespace Kist.Agent.Policy;

/// <summary>The rules that the agent asks for; Kata Containers' names where it has them.</summary>
static class PolicyRules
{
    public const string CreateSandbox = "CreateSandboxRequest";
    public const string UpdateInterface = "UpdateInterfaceRequest";
    public const string UpdateRoutes = "UpdateRoutesRequest";
    public const string CreateContainer = "CreateContainerRequest";
    public const string StartContainer = "StartContainerRequest";
    public const string RemoveContainer = "RemoveContainerRequest";
    public const string UpdateContainer = "UpdateContainerRequest";
    public const string PauseContainer = "PauseContainerRequest";
    public const string ResumeContainer = "ResumeContainerRequest";
    public const string ExecProcess = "ExecProcessRequest";
    public const string WaitProcess = "WaitProcessRequest";
    public const string StatsContainer = "StatsContainerRequest";
    public const string SignalProcess = "SignalProcessRequest";
    public const string ReadStream = "ReadStreamRequest";
    public const string WriteStream = "WriteStreamRequest";
    public const string GuestService = "GuestServiceRequest";
    public const string PortForward = "PortForwardRequest";
    public const string TtyWinResize = "TtyWinResizeRequest";
}
