using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Images;

/// <summary>The forms in which an enclave is stored.</summary>
public enum EnclaveFileKind
{
    /// <summary>An ELF shared object of the Intel SDK, with its metadata.</summary>
    Elf,

    /// <summary>An SGXS stream; the SIGSTRUCT is a file of its own.</summary>
    Sgxs,
}

/// <summary>An enclave file of either form.</summary>
public sealed class EnclaveFile
{
    private readonly ElfEnclave? _elf;

    private EnclaveFile(ElfEnclave elf)
    {
        _elf = elf;
        MrEnclave = elf.Image.Measure();
    }

    private EnclaveFile(byte[] mrEnclave) => MrEnclave = mrEnclave;

    /// <summary>Which form it has.</summary>
    public EnclaveFileKind Kind => _elf is null ? EnclaveFileKind.Sgxs : EnclaveFileKind.Elf;

    /// <summary>The measurement, 32 bytes.</summary>
    public byte[] MrEnclave { get; }

    /// <summary>The attributes that the enclave asks for; null where the form does not say.</summary>
    public SgxAttributes? Attributes => _elf?.Attributes;

    /// <summary>The MISCSELECT that the enclave asks for; null where the form does not say.</summary>
    public uint? MiscSelect => _elf?.MiscSelect;

    /// <summary>The pages, for loading; null for an SGXS stream, which is only measured here.</summary>
    public EnclaveImage? Image => _elf?.Image;

    /// <summary>The SIGSTRUCT inside the file; null where there is none.</summary>
    public Sigstruct? Sigstruct => _elf is { IsSigned: true } ? _elf.ReadSigstruct() : null;

    /// <summary>Parses and measures a file of either form.</summary>
    /// <exception cref="MalformedDataException">It has neither form.</exception>
    public static EnclaveFile Parse(ReadOnlySpan<byte> file)
    {
        if (ElfEnclave.Recognises(file))
            return new EnclaveFile(ElfEnclave.Parse(file));
        if (Sgxs.Recognises(file))
            return new EnclaveFile(Sgxs.Measure(file));
        throw new MalformedDataException("enclave file", 0, "neither an ELF file nor an SGXS stream");
    }

    /// <summary>What is stored after signing: the ELF file with the SIGSTRUCT in place, or the SIGSTRUCT alone.</summary>
    public byte[] WithSignature(Sigstruct sigstruct)
    {
        ArgumentNullException.ThrowIfNull(sigstruct);
        return _elf?.WithSigstruct(sigstruct) ?? sigstruct.Bytes.ToArray();
    }
}
