namespace Kist.Attestation.Tdx;

/// <summary>What the codes that only TDX has mean.</summary>
internal static class TdxExplanations
{
    public static IEnumerable<FindingExplanation> All =>
    [
        new("tdx.module.identity", "the TDX module is Intel's",
            "MRSIGNERSEAM and SEAMATTRIBUTES are compared with the TCB info. The second byte of TEE_TCB_SVN is the module's major version; "
            + "from 1 on, each has an identity of its own in the TCB info.", "Intel PCS API v4, TCB Info v3"),
        new("tdx.module.status", "the TDX module's own status", "An outdated module makes the whole platform outdated, even where the processor is up to date."),
        new("tdx.attributes.sept_ve_disable", "no exceptions through unmapped memory",
            "Without SEPT_VE_DISABLE the machine's owner can unmap a page and make the guest take a #VE exception at a place of its choice."),
        new("tdx.attributes.migratable", "the guest may be moved",
            "A migration TD may export the guest's state to another machine. Who it is, is in MRSERVICETD."),
        new("tdx.service_td", "no unknown service TD is bound",
            "A service TD (such as a migration TD) can act on the guest. Its binding is measured in MRSERVICETD; without a reference value for it, it is refused."),
        new("tdx.eventlog", "the event log explains the run-time registers",
            "Each RTMR is the chain of SHA-384 digests of the log's events. Only a log that replays to all four registers is believed, and shown in the claims. "
            + "Usual causes of a difference: a log of another boot, IMA extending RTMR2 after the log was taken, a firmware that logs a separator twice."),
        new("tdx.debug", "the guest is not debuggable",
            "A TD with a bit of the TUD group in TDATTRIBUTES can be read and written by the machine's owner. --allow-debug accepts it in a test set-up."),
    ];
}
