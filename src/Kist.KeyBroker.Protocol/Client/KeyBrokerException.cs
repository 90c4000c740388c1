using Kist.Formats;

namespace Kist.KeyBroker.Protocol;

/// <summary>Where in the conversation with a broker something failed.</summary>
public enum KeyBrokerStep
{
    /// <summary>The broker could not be reached, or its certificate is not the pinned one.</summary>
    Connect,

    /// <summary>POST /auth.</summary>
    RequestChallenge,

    /// <summary>The guest's own TEE gave no evidence.</summary>
    CollectEvidence,

    /// <summary>POST /attest: the broker did not accept the evidence.</summary>
    Attest,

    /// <summary>GET /resource.</summary>
    FetchResource,

    /// <summary>The answer could not be decrypted with the guest's key.</summary>
    DecryptResource,

    /// <summary>A call of the administrative interface.</summary>
    Administer,
}

/// <summary>The broker refused, or could not be talked to.</summary>
public sealed class KeyBrokerException : OperationFailedException
{
    /// <summary>Creates the exception.</summary>
    public KeyBrokerException(
        KeyBrokerStep step, string subject, string reason, string? hint = null, bool isTransient = false,
        int? status = null, string? code = null, string? correlationId = null, Exception? inner = null)
        : base(Describe(step), subject, reason, hint, isTransient, inner)
    {
        FailedStep = step;
        Status = status;
        Code = code;
        CorrelationId = correlationId;
    }

    /// <summary>Where it failed.</summary>
    public KeyBrokerStep FailedStep { get; }

    /// <summary>The HTTP status, or null if there was no answer.</summary>
    public int? Status { get; }

    /// <summary>The broker's stable code, such as "policy.denied"; null if there was none.</summary>
    public string? Code { get; }

    /// <summary>What the broker's operator looks for in its audit log; null if there was none.</summary>
    public string? CorrelationId { get; }

    private static string Describe(KeyBrokerStep step) => step switch
    {
        KeyBrokerStep.Connect => "connect to the key broker",
        KeyBrokerStep.RequestChallenge => "ask the key broker for a challenge",
        KeyBrokerStep.CollectEvidence => "collect evidence",
        KeyBrokerStep.Attest => "attest to the key broker",
        KeyBrokerStep.FetchResource => "fetch a secret from the key broker",
        KeyBrokerStep.DecryptResource => "decrypt a secret from the key broker",
        _ => "administer the key broker",
    };
}
