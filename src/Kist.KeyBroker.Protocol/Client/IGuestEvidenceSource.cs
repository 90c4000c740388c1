namespace Kist.KeyBroker.Protocol;

/// <summary>What the guest's TEE is, and how it is asked for evidence.</summary>
public interface IGuestEvidenceSource
{
    /// <summary>The TEE's name on the wire: tdx, snp, sgx, …</summary>
    string Tee { get; }

    /// <summary>Asks the TEE for evidence.</summary>
    /// <param name="reportData">The digest to bind, unpadded: 48 bytes unless the broker chose another algorithm.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// One JSON value in UTF-8, in the shape that the protocol has for this TEE, such as
    /// <c>{"quote":"base64","cc_eventlog":"base64"}</c> for tdx.
    /// </returns>
    Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken);

    /// <summary>Asks the devices attached to the TEE for evidence.</summary>
    /// <param name="reportData">The digest to bind, unpadded.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The text of a JSON object from a device's TEE name to its evidence; empty if there is no device.</returns>
    Task<string> GetAdditionalEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken) => Task.FromResult("");
}
