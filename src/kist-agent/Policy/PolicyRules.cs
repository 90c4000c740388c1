namespace Kist.Agent.Policy;

/// <summary>The rules that the agent asks for; Kata Containers' names where it has them.</summary>
static class PolicyRules
{
    public const string CreateContainer = "CreateContainerRequest";
    public const string StartContainer = "StartContainerRequest";
    public const string RemoveContainer = "RemoveContainerRequest";
    public const string WaitProcess = "WaitProcessRequest";
    public const string StatsContainer = "StatsContainerRequest";
    public const string SignalProcess = "SignalProcessRequest";
    public const string ReadStream = "ReadStreamRequest";
    public const string WriteStream = "WriteStreamRequest";
    public const string TtyWinResize = "TtyWinResizeRequest";
}
