namespace Kist.Attestation.Snp;

/// <summary>SIGNING_KEY: which key signed the report (AMD 56860 table 23, bits 4:2 at 48h). Values 2–6 are reserved.</summary>
public enum SnpSigningKey
{
    /// <summary>The versioned chip endorsement key, one a chip and TCB.</summary>
    Vcek = 0,

    /// <summary>The versioned loaded endorsement key, one a cloud provider and TCB.</summary>
    Vlek = 1,

    /// <summary>No signature at all.</summary>
    None = 7,
}
