namespace Kist.Simulator;

/// <summary>The identity of an enclave as its report shows it.</summary>
public sealed class SimulatedEnclave
{
    private readonly ReadOnlyMemory<byte> _mrEnclave;
    private readonly ReadOnlyMemory<byte> _mrSigner;
    private readonly ReadOnlyMemory<byte> _attributes = new byte[] { 0x05, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0 };
    private readonly ReadOnlyMemory<byte> _configId = new byte[64];

    /// <summary>MRENCLAVE, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> MrEnclave { get => _mrEnclave; init => _mrEnclave = Sized(value, 32); }

    /// <summary>MRSIGNER, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> MrSigner { get => _mrSigner; init => _mrSigner = Sized(value, 32); }

    /// <summary>ATTRIBUTES, 16 bytes: flags and XFRM. The default is INIT, MODE64BIT and no DEBUG.</summary>
    public ReadOnlyMemory<byte> Attributes { get => _attributes; init => _attributes = Sized(value, 16); }

    /// <summary>MISCSELECT.</summary>
    public uint MiscSelect { get; init; }

    /// <summary>ISVPRODID.</summary>
    public ushort IsvProdId { get; init; }

    /// <summary>ISVSVN.</summary>
    public ushort IsvSvn { get; init; }

    /// <summary>CONFIGID, 64 bytes.</summary>
    public ReadOnlyMemory<byte> ConfigId { get => _configId; init => _configId = Sized(value, 64); }

    /// <summary>CONFIGSVN.</summary>
    public ushort ConfigSvn { get; init; }

    private static ReadOnlyMemory<byte> Sized(ReadOnlyMemory<byte> value, int size) =>
        value.Length == size ? value : throw new ArgumentException($"the field has {size} bytes, not {value.Length}");
}
