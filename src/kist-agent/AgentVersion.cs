namespace Kist.Agent;

static class AgentVersion
{
    public static string Text { get; } =
        typeof(AgentVersion).Assembly.GetName().Version is { } v ? $"{v.Major}.{v.Minor}.{v.Build}" : "unknown";
}
