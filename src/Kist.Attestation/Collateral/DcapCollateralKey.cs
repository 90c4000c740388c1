namespace Kist.Attestation;

/// <summary>Which of Intel's two authorities issues a platform's PCK certificates.</summary>
public enum PckCa
{
    /// <summary>Single-package platforms.</summary>
    Processor,

    /// <summary>Multi-package (scalable) platforms.</summary>
    Platform,
}

/// <summary>Names Intel's collateral for one kind of platform.</summary>
/// <param name="Fmspc">Family, model, stepping, platform type and SKU: 12 hexadecimal digits in lower case.</param>
/// <param name="Ca">Who issues the PCK certificates.</param>
/// <param name="Tee">"sgx" or "tdx": TCB info and QE identity differ.</param>
public readonly record struct DcapCollateralKey(string Fmspc, PckCa Ca, string Tee);
