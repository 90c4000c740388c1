using Kist.Measurement;

namespace Kist.Pods.Bench;

/// <summary>
/// Answers the guest with a quote that carries only MRCONFIGID: what the host needs to hash is another benchmark's matter,
/// and is not on the way from the exec of QEMU.
/// </summary>
sealed class UnmeasuredPlatform(byte[] mrConfigId) : ITrustPlatform, ITrustDomain
{
    public ReadOnlyMemory<byte> EventLog => ReadOnlyMemory<byte>.Empty;

    public ITrustDomain Launch(LaunchInputs inputs) => this;

    public byte[] Quote(ReadOnlySpan<byte> reportData)
    {
        var quote = new byte[48 + 584];
        mrConfigId.CopyTo(quote, 48 + 0xb8);
        return quote;
    }

    public void ExtendRtmr(int index, ReadOnlySpan<byte> digest)
    {
    }
}
