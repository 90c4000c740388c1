using Kist.KeyBroker.Protocol;

namespace Kist.Agent.Tee;

/// <summary>The trusted execution environment that this guest runs in.</summary>
interface ITee : IGuestEvidenceSource
{
    /// <summary>True if a simulator signs the evidence.</summary>
    bool IsSimulated { get; }

    /// <summary>
    /// The value that the launch bound for its owner: MRCONFIGID (48 bytes) of TDX, HOST_DATA (32 bytes) of SNP.
    /// </summary>
    Task<byte[]> GetInitDataFieldAsync(CancellationToken cancellationToken);

    /// <summary>Extends a runtime register by an event, and adds the event to the log that evidence carries.</summary>
    /// <returns>False if this TEE has no runtime registers.</returns>
    Task<bool> ExtendAsync(string domain, string operation, string content, CancellationToken cancellationToken);
}
