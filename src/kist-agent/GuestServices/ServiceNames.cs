namespace Kist.Agent.GuestServices;

/// <summary>Names of the services in the input of the policy's rule GuestServiceRequest (docs/guest-services.md).</summary>
static class ServiceNames
{
    public const string Resource = "resource";
    public const string Unseal = "unseal";
    public const string KeyProvider = "key-provider";
    public const string Evidence = "evidence";
    public const string Token = "token";
    public const string EventLog = "event-log";
}
