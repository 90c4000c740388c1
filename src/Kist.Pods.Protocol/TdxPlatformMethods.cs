namespace Kist.Pods.Protocol;

/// <summary>The names of simulator.proto's service and methods on the wire.</summary>
public static class TdxPlatformMethods
{
#pragma warning disable CS1591 // simulator.proto documents the methods.
    public const string Service = "kist.simulator.v1.TdxPlatform";
    public const string GetQuote = nameof(GetQuote);
    public const string ExtendRtmr = nameof(ExtendRtmr);
    public const string GetEventLog = nameof(GetEventLog);
#pragma warning restore CS1591
}
